# The files that `cmake --install` and cpack(1) take, and the target `uninstall`, which removes what was installed.

# Below the prefix, or absolute. A distribution, or LuaRocks, has other places for the module and the Lua library. The
# program finds its library in share/lua/5.4 alone, and both find the guard in libexec, on some floor above them.
set(LUNET_MODULE_DIRECTORY lib/lua/5.4 CACHE STRING "Where the module for a stock lua5.4 goes")
set(LUNET_LIBRARY_DIRECTORY share/lua/5.4 CACHE STRING "Where lunet's Lua library goes")
set(LUNET_GUARD_DIRECTORY libexec CACHE STRING "Where the directory of lunet-guard goes")

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
  foreach(directory bin ${LUNET_GUARD_DIRECTORY}/lunet ${LUNET_MODULE_DIRECTORY}/lunet ${LUNET_LIBRARY_DIRECTORY}/lunet
      share/doc/lunet/doc share/lunet share/man/man1 share/bash-completion/completions)
    cmake_path(ABSOLUTE_PATH directory BASE_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}\")
    set(path \"\$ENV{DESTDIR}\${directory}\")
    while(NOT EXISTS \"\${path}\")
      list(APPEND lunet_directories \"\${path}\")
      cmake_path(GET path PARENT_PATH path)
    endwhile()
  endforeach()")

install(TARGETS lunet RUNTIME DESTINATION bin)
install(TARGETS lunet-guard RUNTIME DESTINATION ${LUNET_GUARD_DIRECTORY}/lunet)
install(TARGETS uml-registers LIBRARY DESTINATION ${LUNET_GUARD_DIRECTORY}/lunet)
install(TARGETS core LIBRARY DESTINATION ${LUNET_MODULE_DIRECTORY}/lunet)
install(DIRECTORY lua/lunet DESTINATION ${LUNET_LIBRARY_DIRECTORY} FILES_MATCHING PATTERN "*.lua" PATTERN "*.json")
install(DIRECTORY experiments DESTINATION share/lunet)
install(DIRECTORY doc DESTINATION share/doc/lunet)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION share/doc/lunet)
install(FILES completion/lunet.bash DESTINATION share/bash-completion/completions RENAME lunet)

# The manual is made of the texts that the program prints.
set(manual ${PROJECT_BINARY_DIR}/man)
install(CODE "
  execute_process(COMMAND ${PROJECT_SOURCE_DIR}/script/manual ${PROJECT_BINARY_DIR}/lunet ${manual}
    COMMAND_ERROR_IS_FATAL ANY)")
install(DIRECTORY ${manual}/ DESTINATION share/man/man1)

# What cpack installs into a directory of its own is not installed.
install(CODE "
  foreach(file IN LISTS CMAKE_INSTALL_MANIFEST_FILES)
    if(\"\${CMAKE_INSTALL_PREFIX}\" MATCHES \"/_CPack_Packages/\")
      break()
    endif()
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

# cpack --config build/release/CPackConfig.cmake: one tar file, to unpack wherever it is wanted.
set(CPACK_GENERATOR TGZ)
set(CPACK_PACKAGE_FILE_NAME lunet-${PROJECT_VERSION}-${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_STRIP_FILES ON)
include(CPack)
