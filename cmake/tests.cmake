# Every test there is, labelled spec (Lua), c, fuzz, or lint. Those that script/test leaves to --slow are labelled slow, too.

find_program(BUSTED busted)
find_program(LUA NAMES lua5.4 lua54)

set(test_environment
  LUNET=$<TARGET_FILE:lunet>
  LUNET_BUILD=${PROJECT_BINARY_DIR}
  LUNET_SOURCE=${PROJECT_SOURCE_DIR}
  LUA=${LUA}
  LUNET_EXCLUSIVE=held) # runs do not wait for each other: ctest keeps those specs apart, and no spec asserts speed

if(LUNET_SANITIZE)
  # A stock lua5.4 can load the module only if the sanitizer's runtime came first.
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libasan.so
    OUTPUT_VARIABLE asan_runtime OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(excluded --exclude-tags=no_sanitizer)
  # Exit status 99: specs expect 1, 2 and 3 of programs that work.
  list(APPEND test_environment
    LUNET_PRELOAD=${asan_runtime}
    ASAN_OPTIONS=detect_leaks=1:exitcode=99
    UBSAN_OPTIONS=print_stacktrace=1:exitcode=99)
endif()

if(LUNET_TSAN)
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libtsan.so
    OUTPUT_VARIABLE tsan_runtime OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(excluded --exclude-tags=no_tsan) # it has a thread of its own, and holds signals back
  list(APPEND test_environment
    LUNET_PRELOAD=${tsan_runtime} TSAN_OPTIONS=exitcode=99:halt_on_error=1)
endif()

# lunet_test(LABEL NAME COMMAND...): a busy machine takes minutes for what takes seconds on a quiet one. Tests use the
# programs that script/packages has installed, not those of pyenv and the like, whose start takes ten times as long.
function(lunet_test label name)
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES
    LABELS ${label} TIMEOUT 900 ENVIRONMENT "${test_environment}"
    ENVIRONMENT_MODIFICATION "PATH=path_list_prepend:/usr/bin")
endfunction()

# lunet_run_last(EXPERIMENT TEST...): most tests wait more than they compute, so that several run on a processor. But the
# times of an experiment that says `exclusive` are wrong beside a test that computes. Such tests run beside each other
# alone, after all others: they use a twentieth of a processor each.
function(lunet_run_last experiment)
  file(STRINGS ${experiment} exclusive REGEX "^ *exclusive = true")
  if(exclusive)
    set_property(DIRECTORY APPEND PROPERTY lunet_last ${ARGN})
  endif()
endfunction()

# lunet_spec(NAME FILE TAG...): a test NAME/TAG for each tag of the file, and NAME for the rest. What has two
# tags belongs to the later one, so that each `it` runs once. Sets NAME_tests to the tests' names.
function(lunet_spec name spec)
  set(tests "")
  set(later ${ARGN})
  foreach(tag IN ITEMS "" ${ARGN})
    list(REMOVE_ITEM later "${tag}")
    list(TRANSFORM later PREPEND --exclude-tags= OUTPUT_VARIABLE filter)
    set(test ${name})
    if(tag)
      string(REPLACE part_ "" part ${tag})
      set(test ${name}/${part})
      list(APPEND filter --tags=${tag})
    endif()
    lunet_test(spec ${test} lunet ${BUSTED} --ignore-lua ${excluded} ${filter} ${spec})
    list(APPEND tests ${test})
  endforeach()
  set(${name}_tests ${tests} PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE specs CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} spec/*_spec.lua)
foreach(spec IN LISTS specs)
  string(REGEX REPLACE "_spec\\.lua$" "" name ${spec})
  string(REGEX REPLACE "^spec/" "" noun ${name})
  file(STRINGS ${spec} is_large REGEX "require \"spec\\.support\\.(scenario|guest)\"")
  set(is_slow "")
  # A Slurm, SSH servers, another kernel, all real programs of a kind, or a compiler.
  if(is_large OR name MATCHES "_all$|^spec/(rock|cmake/install)$")
    set(is_slow TRUE)
  endif()

  # A test with a tag #part_WORD runs beside the others of its file. So do those of an experiment that are tagged #slow:
  # they mostly wait for the kernel's timers.
  set(wanted "part_[a-z]+")
  set(experiment "")
  if(noun MATCHES "^experiments/" AND EXISTS ${PROJECT_SOURCE_DIR}/${noun}.lua AND NOT is_slow)
    set(experiment ${PROJECT_SOURCE_DIR}/${noun}.lua)
    string(PREPEND wanted "slow|")
  endif()
  file(READ ${spec} text)
  string(REGEX MATCHALL "#(${wanted})" tags "${text}")
  list(TRANSFORM tags REPLACE "#" "")
  list(REMOVE_DUPLICATES tags)
  lunet_spec(${name} ${spec} ${tags})
  set(tests ${${name}_tests})

  set(labels spec)
  if(is_slow)
    list(APPEND labels slow)
  endif()
  file(GLOB in_c core/binding/${noun}.c core/binding/task/${noun}.c core/handle/${noun}.c)
  if(in_c OR noun MATCHES
      "^(task_(waits?|cancel|ending)|sockets_filter|listener_(accept|path)|connection_tcp|reader_(lines|bounds)|option|network/(link|lan|host|serving|rule(_flags|_home)?))$")
    list(APPEND labels core) # with an eager collector they take minutes
    file(STRINGS ${spec} hosts REGEX "lunet\\.host[ ({]")
    if(hosts) # there the thread of core/platform/awake.c runs
      list(APPEND labels threads)
    endif()
  endif()
  set_tests_properties(${tests} PROPERTIES LABELS "${labels}")
  if(is_slow OR experiment)
    set_tests_properties(${tests} PROPERTIES COST 10) # the longest first
  endif()
  if(experiment)
    lunet_run_last(${experiment} ${tests})
  endif()
endforeach()

# Each cmocka test of the C checks is a test of ctest's.
pkg_check_modules(cmocka IMPORTED_TARGET cmocka)
file(GLOB checks CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} spec/core/*_check.c)
foreach(check IN LISTS checks)
  cmake_path(GET check STEM name)
  if(NOT cmocka_FOUND) # script/run builds without
    lunet_test(c spec/core/${name} cmocka-is-not-installed)
    continue()
  endif()
  add_executable(${name} ${check})
  target_link_libraries(${name} PRIVATE lunet_flags lunet_handle PkgConfig::cmocka)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${check})
  file(READ ${check} text)
  string(REGEX MATCHALL "unit_test\\([a-z_]+" tests "${text}")
  list(TRANSFORM tests REPLACE ".*\\(" "")
  foreach(test IN LISTS tests)
    lunet_test(c spec/core/${name}/${test} ${name} ${test})
    set_tests_properties(spec/core/${name}/${test} PROPERTIES LABELS "c;threads")
  endforeach()
endforeach()

# Random calls of the whole API: only the sanitizers tell what those do to memory.
if(LUNET_SANITIZE)
  lunet_test(fuzz fuzz/api script/fuzz 200000)
  lunet_test(fuzz fuzz/commands script/fuzz commands 300 1)
  set_tests_properties(fuzz/api PROPERTIES PROCESSORS 2 TIMEOUT 2000)
endif()

# Another kernel's memory has no room for a sanitizer's.
if(NOT LUNET_SANITIZE AND NOT LUNET_TSAN)
  include(cmake/guests.cmake)
endif()

# By bare name: ctest looks these up when it runs, and a missing one fails its test.
file(GLOB_RECURSE c_files CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
  core/*.[ch] spec/core/*.[ch] bench/*.[ch])
lunet_test(lint lint/luacheck luacheck --quiet lua experiments spec bench)
lunet_test(lint lint/clang-format clang-format --dry-run -Werror ${c_files})
lunet_test(lint lint/cppcheck cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11
  --enable=warning,performance,portability -I core ${c_files})
lunet_test(lint lint/layering script/check-layering)
lunet_test(lint lint/mutations script/mutate --check)
lunet_test(lint lint/prose script/check-prose)
lunet_test(lint lint/reference script/reference --check)
file(GLOB scripts CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} script/* .ci/run
  bench/run bench/laboratory completion/* debian/tests/*-* findings/*.sh spec/support/*.sh)
lunet_test(lint lint/shellcheck shellcheck ${scripts})

# Whether recording, or a setting of the kernel, moves what an experiment finds. Each takes many runs, at the speed that
# lunet has without sanitizers.
file(GLOB_RECURSE experiments CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/experiments experiments/*.lua)
if(LUNET_SANITIZE)
  set(experiments "")
endif()
foreach(experiment IN LISTS experiments)
  cmake_path(GET experiment STEM name)
  file(STRINGS experiments/${experiment} exclusive REGEX "^ *exclusive = true")
  set(kinds recorded settings)
  if(exclusive) # thirty runs, one at a time, take minutes: script/figures settings makes them
    set(kinds recorded)
  endif()
  foreach(kind IN LISTS kinds)
    lunet_test(slow ${kind}/${name} lunet spec/figures/${kind}.lua ${name})
    set_tests_properties(${kind}/${name} PROPERTIES SKIP_RETURN_CODE 77)
    if(exclusive)
      set_tests_properties(${kind}/${name} PROPERTIES RUN_SERIAL TRUE)
    elseif(name MATCHES "^(phantom_connect|pending_data|syn_proxy)$")
      set_tests_properties(${kind}/${name} PROPERTIES COST 10) # five minutes, mostly of waiting
    endif()
  endforeach()
endforeach()

# Wrong outcomes of each experiment, which its check is to notice: `ctest -R ^outcomes/ -V` prints a line for each.
file(GLOB outcomes CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/spec/outcomes spec/outcomes/*.lua)
foreach(outcome IN LISTS outcomes)
  cmake_path(GET outcome STEM name)
  file(GLOB_RECURSE experiment experiments/${name}.lua)
  if(experiment)
    lunet_test(outcomes outcomes/${name} lunet spec/outcomes/run.lua ${name})
    set_tests_properties(outcomes/${name} PROPERTIES SKIP_RETURN_CODE 77 COST 10)
    lunet_run_last(${experiment} outcomes/${name})
  endif()
endforeach()

get_property(last DIRECTORY PROPERTY lunet_last)
get_property(others DIRECTORY PROPERTY TESTS)
list(REMOVE_ITEM others ${last})
set_tests_properties(${last} PROPERTIES DEPENDS "${others}")
