# packages.sh - sourced by demo.sh and test.sh: need_packages NAME...
# Installs the Debian packages that are missing, saying so first; does nothing where none is.

need_packages() {
    missing=
    for package in "$@"; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
        *"install ok installed"*) ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -z "$missing" ] && return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "These packages are needed, and there is no apt-get to install them:$missing" >&2
        return 1
    fi
    as_root=
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "These packages are needed; install them as root:  apt-get install$missing" >&2
            return 1
        fi
        as_root=sudo
    fi
    echo "Installing on this machine, with apt-get, for all its users:$missing"
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends $missing </dev/null >/dev/null
}

# Nothing here has a LuaJIT on every machine: riscv64 and s390x take Lua 5.4.
lua_package() {
    case $(dpkg --print-architecture 2>/dev/null) in
    amd64 | i386 | arm64 | armhf | mips*) echo libluajit-5.1-dev ;;
    *) echo liblua5.4-dev ;;
    esac
}

# What graphs with dense layers link besides.
GRAPH_PACKAGES="libopenblas-pthread-dev"

BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config libjpeg-dev libpng-dev zlib1g-dev"
BUILD_PACKAGES="$BUILD_PACKAGES libjansson-dev $(lua_package)"

# What .ci/run and tests/targets/run.py take besides.
TARGET_PACKAGES="python3 gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf \
libc6-dev-armhf-cross gcc-riscv64-linux-gnu libc6-dev-riscv64-cross
    gcc-s390x-linux-gnu libc6-dev-s390x-cross gcc-arm-none-eabi qemu-user qemu-system-arm clang \
        llvm lld nodejs"
CHECK_PACKAGES="$TARGET_PACKAGES libomp-dev libclang-rt-dev clang-format clang-tidy cppcheck \
valgrind git"

# foreign_packages ARCHITECTURE FOLDER NAME...: unpacks Debian packages of another architecture
# below FOLDER, an absolute path without blanks. Lists and downloads stay there too; the machine's
# own packages stay as they are.
foreign_packages() {
    architecture=$1
    foreign=$2
    shift 2
    mkdir -p "$foreign/lists/partial" "$foreign/cache/archives/partial"
    echo "Fetching with apt-get for $architecture:" "$@"
    (
        cd "$foreign"
        apt="apt-get -qq -o APT::Architectures::=$architecture -o APT::Sandbox::User=$(id -un)"
        apt="$apt -o Dir::State::lists=$foreign/lists -o Dir::Cache=$foreign/cache"
        $apt update </dev/null
        for package in "$@"; do
            $apt download "$package:$architecture" </dev/null >/dev/null
        done
        for file in *.deb; do
            dpkg -x "$file" .
        done
    )
}
