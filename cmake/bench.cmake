# The peers in C that lunet is measured against: the target bench, which nothing else needs.

add_custom_target(bench)

# lunet_peer(DIRECTORY SOURCE [DEFINITION]): bench/DIRECTORY/<stem of the source>
function(lunet_peer directory source)
  cmake_path(GET source STEM stem)
  set(name bench-${directory}-${stem})
  add_executable(${name} EXCLUDE_FROM_ALL ${source})
  target_compile_definitions(${name} PRIVATE ${ARGN})
  target_link_libraries(${name} PRIVATE lunet_flags m)
  set_target_properties(${name} PROPERTIES
    OUTPUT_NAME ${stem} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench/${directory})
  add_dependencies(bench ${name})
endfunction()

file(GLOB libuv_peers CONFIGURE_DEPENDS bench/peers/libuv/*.c)
foreach(source IN LISTS libuv_peers)
  lunet_peer(libuv ${source})
  cmake_path(GET source STEM stem)
  target_link_libraries(bench-libuv-${stem} PRIVATE PkgConfig::libuv)
endforeach()

file(GLOB epoll_peers CONFIGURE_DEPENDS bench/peers/epoll/*.c)
foreach(source IN LISTS epoll_peers)
  lunet_peer(epoll ${source})
  lunet_peer(epoll-try-first ${source} TRY_FIRST)
endforeach()

lunet_peer(startup ${PROJECT_SOURCE_DIR}/bench/peers/startup.c)

# Measures the figures that core/handle/watch.h states.
lunet_peer(watch ${PROJECT_SOURCE_DIR}/bench/watch.c)
target_link_libraries(bench-watch-watch PRIVATE PkgConfig::libuv)
