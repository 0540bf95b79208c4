# find_package(caec): the compiler, and caec_add_model() to build a graph's programs with it.
get_filename_component(caec_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
find_program(CAEC_EXECUTABLE caec HINTS ${caec_prefix}/bin ${caec_prefix}/../bin NO_DEFAULT_PATH
    REQUIRED)
find_path(CAEC_RUNTIME runtime.cmake HINTS ${caec_prefix}/share/caec/runtime
    ${caec_prefix}/../share/caec/runtime NO_DEFAULT_PATH REQUIRED)
foreach(caec_real float double)
  find_library(CAEC_RUNTIME_LIBRARY_${caec_real} caec_runtime_${caec_real} HINTS
      ${CMAKE_CURRENT_LIST_DIR}/../.. NO_DEFAULT_PATH REQUIRED)
endforeach()
foreach(caec_option STATIC CONTRACT)
  if(NOT DEFINED CAEC_${caec_option})
    set(CAEC_${caec_option} ON)
  endif()
endforeach()
include(${CMAKE_CURRENT_LIST_DIR}/caec_add_model.cmake)
set(caec_FOUND TRUE)
