# caec_add_model(NAME GRAPH [ALL] [FOLDER DIR] [FLAGS FLAGS] [OPTIONS ...])
#
# Compiles a graph file and builds NAME-train and NAME-infer into DIR/bin, by default that of the
# build tree; OPTIONS go to caec (--target, --real, --kernel ...), FLAGS to the C compiler in place
# of -O3. NAME is the target and must be the graph's own name; ALL builds it by default. The C lies
# in DIR/caec/NAME/.
#
# In caec's own build the freshly built compiler and runtime are used; find_package(caec) offers the
# same function with the installed ones.
function(caec_add_model name graph)
  cmake_parse_arguments(arg "ALL" "FOLDER;FLAGS" "OPTIONS" ${ARGN})
  get_filename_component(graph ${graph} ABSOLUTE)
  if(NOT arg_FOLDER)
    set(arg_FOLDER ${CMAKE_BINARY_DIR})
  endif()
  set(folder ${arg_FOLDER}/caec)
  set(bin ${arg_FOLDER}/bin)
  set(real float)
  list(FIND arg_OPTIONS "--real" at)
  if(at GREATER -1)
    math(EXPR at "${at} + 1")
    list(GET arg_OPTIONS ${at} real)
  endif()
  if(NOT "--target" IN_LIST arg_OPTIONS AND CAEC_TARGET)
    list(APPEND arg_OPTIONS --target ${CAEC_TARGET})
  endif()
  if(TARGET caec_runtime_${real})
    set(runtime_library $<TARGET_FILE:caec_runtime_${real}>)
    set(runtime_depends caec_runtime_${real})
  else()
    set(runtime_library ${CAEC_RUNTIME_LIBRARY_${real}})
  endif()
  if(TARGET caec)
    set(compiler $<TARGET_FILE:caec>)
    set(compiler_depends caec)
  else()
    set(compiler ${CAEC_EXECUTABLE})
  endif()
  set(flags "${CAEC_COVERAGE_FLAGS}")
  set(build_type Release)
  if(arg_FLAGS)
    string(APPEND flags " ${arg_FLAGS}")
    set(build_type None)
  endif()
  if(CAEC_SANITIZE)
    set(flags "-fsanitize=${CAEC_SANITIZE} -fno-omit-frame-pointer -g1 -O1")
    set(build_type None)
  endif()
  caec_known_checks(checks)
  file(GLOB mains CONFIGURE_DEPENDS ${CAEC_RUNTIME}/main_*.c ${CAEC_RUNTIME}/*.h
      ${CAEC_RUNTIME}/*.cmake ${CAEC_RUNTIME}/*/*.h ${CAEC_RUNTIME}/compute/*.c)
  add_custom_command(
    OUTPUT ${bin}/${name}-train ${bin}/${name}-infer
    COMMAND ${compiler} ${graph} -o ${folder} --no-runtime --force ${arg_OPTIONS}
    COMMAND ${CMAKE_COMMAND} ${checks} -S ${folder}/${name} -B ${folder}/${name}.build
        -G ${CMAKE_GENERATOR}
        -DCMAKE_BUILD_TYPE=${build_type}
            -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DCMAKE_C_FLAGS=${flags}
                -DCMAKE_EXE_LINKER_FLAGS=${CAEC_SANITIZE_LINK}
            -DCAEC_RUNTIME=${CAEC_RUNTIME}
            -DCAEC_RUNTIME_LIBRARY=${runtime_library} -DCAEC_STATIC=${CAEC_STATIC}
                -DCAEC_CONTRACT=${CAEC_CONTRACT}
            -DCMAKE_RUNTIME_OUTPUT_DIRECTORY=${bin} --log-level=ERROR
    COMMAND ${CMAKE_COMMAND} --build ${folder}/${name}.build
    DEPENDS ${graph} ${compiler_depends} ${runtime_depends} ${mains}
    COMMENT "Compiling the model ${name}" VERBATIM)
  set(all "")
  if(arg_ALL)
    set(all ALL)
  endif()
  add_custom_target(${name} ${all} DEPENDS ${bin}/${name}-train ${bin}/${name}-infer)
endfunction()

# What runtime.cmake has found out about compiler, linker and libraries, where this project has
# included it, as a file for cmake -C: a model's folder is for the same ones and need not look
# again, which takes longer than compiling a small model.
function(caec_known_checks variable)
  set(${variable} "" PARENT_SCOPE)
  get_cmake_property(names CACHE_VARIABLES)
  list(FILTER names INCLUDE REGEX "^(CMAKE_HAVE_|OpenMP_|CAEC_LINKER_)")
  list(FILTER names EXCLUDE REGEX "-(ADVANCED|MODIFIED)$")
  if(NOT COMMAND caec_program)
    return()
  endif()
  set(text "")
  foreach(name IN LISTS names)
    string(APPEND text "set(${name} \"$CACHE{${name}}\" CACHE INTERNAL \"\")\n")
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/caec_checks.cmake CONTENT "${text}" @ONLY)
  set(${variable} -C ${CMAKE_BINARY_DIR}/caec_checks.cmake PARENT_SCOPE)
endfunction()
