# runtime.cmake - what a model's CMakeLists.txt needs to build its two programs. Included by the
# folder that caec writes.
#
#   caec_use_openmp(TARGET)                                 compile TARGET with OpenMP where the
#                                                           compiler has it
#   caec_harden(TARGET)                                     compile TARGET with checks against
#                                                           overrun buffers, see SECURITY.md
#   caec_find_openblas()                                    for models whose dense layers call it:
#                                                           their programs link it
#   caec_runtime_sources(VARIABLE)                          the runtime's sources that do not depend
#                                                           on the model's target flags
#   caec_program(NAME MAIN OBJECTS SUPPORTED REAL)          NAME from runtime/MAIN, the object
#                                                           library OBJECTS and one more source
#
# CAEC_RUNTIME names this folder; CAEC_RUNTIME_LIBRARY a compiled one (then nothing of it is
# compiled again); CAEC_STATIC asks for static programs, which it gets where the machine has static
# libraries.

find_package(Threads REQUIRED)
find_package(OpenMP COMPONENTS C)

# See no_plugins.c. (ld 2.40 keeps silent about undefined symbols too where it is told not to warn.)
include(CheckLinkerFlag)
check_linker_flag(C -Wl,--wrap=dlopen CAEC_LINKER_WRAPS)

# Programs lie at random addresses, and what the loader fills in is read-only from then on. The
# address sanitizer wants a layout of its own.
set(CAEC_HARDEN_LINK "")
foreach(flag -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
  string(MAKE_C_IDENTIFIER CAEC_LINKER${flag} variable)
  check_linker_flag(C ${flag} ${variable})
  if(${variable})
    list(APPEND CAEC_HARDEN_LINK ${flag})
  endif()
endforeach()
include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_FLAGS -fPIE)
set(CMAKE_REQUIRED_LINK_OPTIONS -static-pie)
check_c_source_compiles("int main(void) { return 0; }" CAEC_LINKER_STATIC_PIE)
set(CMAKE_REQUIRED_LINK_OPTIONS -pie)
check_c_source_compiles("int main(void) { return 0; }" CAEC_LINKER_PIE)
unset(CMAKE_REQUIRED_FLAGS)
unset(CMAKE_REQUIRED_LINK_OPTIONS)

# Programs that cannot be static, for want of a library, are linked to shared ones, and that is
# said.
macro(caec_not_static missing)
  if(CAEC_STATIC)
    message(NOTICE "caec: ${missing}, so the programs are linked to shared libraries "
                   "(as with -DCAEC_STATIC=OFF)")
    set(CAEC_STATIC OFF)
  endif()
endmacro()

if(CAEC_STATIC)
  set(CMAKE_REQUIRED_LINK_OPTIONS -static)
  check_c_source_compiles("int main(void) { return 0; }" CAEC_LINKER_STATIC)
  set(CMAKE_REQUIRED_FLAGS "${OpenMP_C_FLAGS}")
  check_c_source_compiles("int main(int n, char **a) {
_Pragma(\"omp parallel for\") for (int i = 0; i < n; i++) a[i] = 0; return 0; }"
    CAEC_LINKER_STATIC_OPENMP)
  unset(CMAKE_REQUIRED_FLAGS)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
  if(NOT CAEC_LINKER_STATIC)
    caec_not_static("there is no static C library")
  elseif(OpenMP_C_FOUND AND NOT CAEC_LINKER_STATIC_OPENMP)
    caec_not_static("${CMAKE_C_COMPILER_ID} has no static OpenMP library here")
  endif()
endif()

# The static library where programs are static; else, or where there is none, the shared one.
macro(caec_find_library variable name)
  if(CAEC_STATIC)
    set(caec_suffixes ${CMAKE_FIND_LIBRARY_SUFFIXES})
    set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
    find_library(${variable} NAMES ${name} ${ARGN})
    set(CMAKE_FIND_LIBRARY_SUFFIXES ${caec_suffixes})
  endif()
  if(NOT ${variable})
    find_library(${variable} NAMES ${name} ${ARGN})
    if(${variable})
      caec_not_static("there is no static library ${name}")
    endif()
  endif()
endmacro()

foreach(library jpeg png z jansson)
  string(TOUPPER CAEC_LIB_${library} variable)
  caec_find_library(${variable} ${library})
  if(NOT ${variable})
    message(FATAL_ERROR "the library ${library} was not found; on Debian: "
                        "apt-get install libjpeg-dev libpng-dev zlib1g-dev libjansson-dev")
  endif()
endforeach()
set(CAEC_LIB_M m)

# Debian keeps each build of OpenBLAS in a folder of its own. A product runs in the thread that asks
# for it: see prepare() of the model.
macro(caec_find_openblas)
  caec_find_library(CAEC_LIB_OPENBLAS openblas PATH_SUFFIXES openblas-pthread openblas-openmp)
  if(NOT CAEC_LIB_OPENBLAS)
    message(FATAL_ERROR
        "the library openblas was not found; on Debian: apt-get install libopenblas-pthread-dev")
  endif()
endmacro()

function(caec_use_openmp target)
  if(OpenMP_C_FOUND)
    separate_arguments(flags UNIX_COMMAND "${OpenMP_C_FLAGS}")
    target_compile_options(${target} PRIVATE ${flags})
  else()
    target_compile_options(${target} PRIVATE -Wno-unknown-pragmas)
  endif()
endfunction()

function(caec_harden target)
  target_compile_options(${target} PRIVATE -fPIE -fstack-protector-strong)
  if(NOT CAEC_SANITIZE AND NOT CMAKE_C_FLAGS MATCHES "-fsanitize")
    target_compile_options(${target} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
        $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  endif()
  target_link_options(${target} PRIVATE ${CAEC_HARDEN_LINK})
endfunction()

# The mains belong to a program; compute/ is compiled with the model's flags.
function(caec_runtime_sources variable)
  file(GLOB sources ${CAEC_RUNTIME}/*.c ${CAEC_RUNTIME}/*/*.c)
  list(FILTER sources EXCLUDE REGEX "/(main_[a-z]+|compute/[a-z]+)\\.c$")
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()

function(caec_runtime_library target real)
  caec_runtime_sources(sources)
  add_library(${target} STATIC ${sources})
  target_compile_definitions(${target} PRIVATE CAEC_REAL=${real})
  target_include_directories(${target} PRIVATE ${CAEC_RUNTIME})
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow)
  caec_use_openmp(${target})
  caec_harden(${target})
endfunction()

function(caec_program name main objects supported real)
  if(NOT CAEC_RUNTIME_LIBRARY AND NOT TARGET caec_runtime)
    caec_runtime_library(caec_runtime ${real})
  endif()
  add_executable(${name} ${CAEC_RUNTIME}/${main} ${supported} $<TARGET_OBJECTS:${objects}>)
  target_compile_definitions(${name} PRIVATE CAEC_REAL=${real})
  target_include_directories(${name} PRIVATE ${CAEC_RUNTIME} ${CMAKE_CURRENT_SOURCE_DIR})
  caec_use_openmp(${name})
  caec_harden(${name})
  set(static -static)
  if(CAEC_LINKER_STATIC_PIE)
    set(static -static-pie)
  endif()
  if(CAEC_LINKER_PIE AND NOT CAEC_STATIC)
    target_link_options(${name} PRIVATE -pie)
  endif()
  if(CAEC_RUNTIME_LIBRARY)
    target_link_libraries(${name} PRIVATE ${CAEC_RUNTIME_LIBRARY})
  else()
    target_link_libraries(${name} PRIVATE caec_runtime)
  endif()
  target_link_libraries(${name} PRIVATE ${CAEC_LIB_JPEG} ${CAEC_LIB_PNG} ${CAEC_LIB_Z}
      ${CAEC_LIB_JANSSON} ${CAEC_LIB_OPENBLAS} ${CAEC_LIB_M} Threads::Threads)
  if(OpenMP_C_FOUND)
    if(CAEC_STATIC)
      target_link_options(${name} PRIVATE ${static} -fopenmp
          $<$<BOOL:${CAEC_LINKER_WRAPS}>:-Wl,--wrap=dlopen,-u,__wrap_dlopen>)
    else()
      target_link_libraries(${name} PRIVATE OpenMP::OpenMP_C)
    endif()
  elseif(CAEC_STATIC)
    target_link_options(${name} PRIVATE ${static})
  endif()
endfunction()
