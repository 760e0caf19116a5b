# The files that `cmake --install` installs, and the target `uninstall`, which removes them.

set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
  GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# installed.txt has a line for each file and each new directory, whatever the prefix was.
set(installed ${PROJECT_BINARY_DIR}/installed.txt)

install(CODE "
  foreach(part lunet libexec/lunet/lunet-guard lib/lua/5.4/lunet/core.so)
    if(NOT EXISTS \"${PROJECT_BINARY_DIR}/\${part}\")
      message(FATAL_ERROR \"nothing is installed, since \${part} is not built: run script/build first\")
    endif()
  endforeach()
  # From where cmake was called: the prefix may be relative, and `uninstall` is called elsewhere.
  cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY \"\${CMAKE_SOURCE_DIR}\" NORMALIZE)
  set(lunet_directories)
  foreach(directory bin libexec/lunet lib/lua/5.4/lunet share/lua/5.4/lunet share/doc/lunet share/lunet)
    set(path \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/\${directory}\")
    while(NOT EXISTS \"\${path}\")
      list(APPEND lunet_directories \"\${path}\")
      cmake_path(GET path PARENT_PATH path)
    endwhile()
  endforeach()")

install(TARGETS lunet RUNTIME DESTINATION bin)
install(TARGETS lunet-guard RUNTIME DESTINATION libexec/lunet)
install(TARGETS core LIBRARY DESTINATION lib/lua/5.4/lunet)
install(DIRECTORY lua/lunet DESTINATION share/lua/5.4 FILES_MATCHING PATTERN "*.lua")
install(DIRECTORY experiments DESTINATION share/lunet)
install(DIRECTORY doc/ DESTINATION share/doc/lunet)
install(FILES LICENSE README.md DESTINATION share/doc/lunet)

install(CODE "
  foreach(file IN LISTS CMAKE_INSTALL_MANIFEST_FILES)
    set(path \"\$ENV{DESTDIR}\${file}\")
    file(APPEND \"${installed}\" \"\${path}\\n\")
    foreach(new IN LISTS lunet_directories) # and what is below a new directory
      cmake_path(GET path PARENT_PATH directory)
      cmake_path(IS_PREFIX new \"\${directory}\" is_below)
      while(is_below)
        file(APPEND \"${installed}\" \"\${directory}\\n\")
        cmake_path(GET directory PARENT_PATH directory)
        cmake_path(IS_PREFIX new \"\${directory}\" is_below)
      endwhile()
    endforeach()
  endforeach()")

add_custom_target(uninstall
  COMMAND ${CMAKE_COMMAND} -D INSTALLED=${installed} -P ${PROJECT_SOURCE_DIR}/cmake/uninstall.cmake
  VERBATIM)
