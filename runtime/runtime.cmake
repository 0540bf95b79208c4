# runtime.cmake - what a model's CMakeLists.txt needs to build its two programs. Included by the folder that caec writes.
#
#   caec_use_openmp(TARGET)                                 compile TARGET with OpenMP where the compiler has it
#   caec_find_openblas()                                    for models whose dense layers call it: their programs link it
#   caec_runtime_sources(VARIABLE)                          the runtime's sources that do not depend on the model's target flags
#   caec_program(NAME MAIN OBJECTS SUPPORTED REAL)          NAME from runtime/MAIN, the object library OBJECTS and one more source
#
# CAEC_RUNTIME names this folder; CAEC_RUNTIME_LIBRARY a compiled one (then nothing of it is compiled again); CAEC_STATIC asks for static programs.

find_package(Threads REQUIRED)
find_package(OpenMP COMPONENTS C)

# libgomp can look for plug-ins of accelerators with dlopen, which a static program never does; the linker warns of it all the same.
include(CheckLinkerFlag)
check_linker_flag(C -Wl,--no-warnings CAEC_LINKER_NO_WARNINGS)

if(CAEC_STATIC)
  set(caec_suffixes ${CMAKE_FIND_LIBRARY_SUFFIXES})
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
endif()
foreach(library jpeg png z jansson m)
  string(TOUPPER CAEC_LIB_${library} variable)
  if(library STREQUAL m AND CAEC_STATIC)
    set(${variable} m)
    continue()
  endif()
  find_library(${variable} NAMES ${library})
  if(NOT ${variable})
    message(FATAL_ERROR "the library ${library} was not found; on Debian: apt-get install libjpeg-dev libpng-dev zlib1g-dev libjansson-dev")
  endif()
endforeach()
if(CAEC_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES ${caec_suffixes})
endif()

# Debian keeps each build of OpenBLAS in a folder of its own. A product runs in the thread that asks for it: see prepare() of the model.
macro(caec_find_openblas)
  if(CAEC_STATIC)
    set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
  endif()
  find_library(CAEC_LIB_OPENBLAS NAMES openblas PATH_SUFFIXES openblas-pthread openblas-openmp)
  if(CAEC_STATIC)
    set(CMAKE_FIND_LIBRARY_SUFFIXES ${caec_suffixes})
  endif()
  if(NOT CAEC_LIB_OPENBLAS)
    message(FATAL_ERROR "the library openblas was not found; on Debian: apt-get install libopenblas-pthread-dev")
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
endfunction()

function(caec_program name main objects supported real)
  if(NOT CAEC_RUNTIME_LIBRARY AND NOT TARGET caec_runtime)
    caec_runtime_library(caec_runtime ${real})
  endif()
  add_executable(${name} ${CAEC_RUNTIME}/${main} ${supported} $<TARGET_OBJECTS:${objects}>)
  target_compile_definitions(${name} PRIVATE CAEC_REAL=${real})
  target_include_directories(${name} PRIVATE ${CAEC_RUNTIME} ${CMAKE_CURRENT_SOURCE_DIR})
  caec_use_openmp(${name})
  if(CAEC_RUNTIME_LIBRARY)
    target_link_libraries(${name} PRIVATE ${CAEC_RUNTIME_LIBRARY})
  else()
    target_link_libraries(${name} PRIVATE caec_runtime)
  endif()
  target_link_libraries(${name} PRIVATE ${CAEC_LIB_JPEG} ${CAEC_LIB_PNG} ${CAEC_LIB_Z} ${CAEC_LIB_JANSSON} ${CAEC_LIB_OPENBLAS} ${CAEC_LIB_M} Threads::Threads)
  if(OpenMP_C_FOUND)
    if(CAEC_STATIC)
      target_link_options(${name} PRIVATE -static -fopenmp $<$<BOOL:${CAEC_LINKER_NO_WARNINGS}>:-Wl,--no-warnings>)
    else()
      target_link_libraries(${name} PRIVATE OpenMP::OpenMP_C)
    endif()
  elseif(CAEC_STATIC)
    target_link_options(${name} PRIVATE -static)
  endif()
endfunction()
