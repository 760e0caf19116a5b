#!/bin/bash
# LuaRocks 3.8.0 (Debian 12, luarocks 3.8.0+dfsg1-1): a rock of the build type cmake is "now installed", and its module
# cannot be required.
#
# Guess: a CMake project that installs its modules to share/lua/5.4 and lib/lua/5.4 below its prefix, as Lua has them, is
# a rock with `variables = { CMAKE_INSTALL_PREFIX = "$(PREFIX)" }`; if it does not fit, luarocks says so.
#
# Seen: $(PREFIX) is a directory of the rock alone. LuaRocks moves its subdirectories lua, lib and bin to where require
# and the shell look, and leaves all others where nobody looks. share/lua/5.4 is left. Of lib/lua/5.4 the inner part
# comes along: TREE/lib/lua/5.4/lua/5.4. In each case the status is 0, and nothing is said. Install to $(LUADIR) and
# $(LIBDIR), the rock's own lua and lib.
#
# Output: share/lua/5.4: luarocks 0, tree/lib/luarocks/rocks-5.4/sample/1-1/share/lua/5.4/sample.lua, not found
#         lib/lua/5.4: luarocks 0, tree/lib/lua/5.4/lua/5.4/sample.lua, not found
#         $(LUADIR): luarocks 0, tree/share/lua/5.4/sample.lua, found
# shellcheck disable=SC2016 # CMake and LuaRocks expand it
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
export HOME=$place
printf '%s\n' 'cmake_minimum_required(VERSION 3.18)' 'project(sample NONE)' \
  'install(FILES sample.lua DESTINATION ${WHERE})' >CMakeLists.txt
echo 'return true' >sample.lua

try() {
  local status=0
  printf '%s\n' 'rockspec_format = "3.0"' 'package = "sample"' 'version = "1-1"' \
    'source = { url = "file://sample.tar.gz" }' \
    "build = { type = 'cmake', variables = { CMAKE_INSTALL_PREFIX = '\$(PREFIX)', WHERE = '$1' } }" >sample-1-1.rockspec
  rm -rf tree build.luarocks
  timeout 60 luarocks make --lua-version 5.4 --deps-mode none --tree "$place/tree" >log 2>&1 || status=$?
  echo "$1: luarocks $status, $(find tree -name sample.lua), $(LUA_PATH="tree/share/lua/5.4/?.lua;tree/lib/lua/5.4/?.lua" \
    lua5.4 -e 'print(pcall(require, "sample") and "found" or "not found")')"
}
seen=$(for where in share/lua/5.4 lib/lua/5.4 "\$(LUADIR)"; do try "$where"; done)
echo "$seen"
[[ $seen == 'share/lua/5.4: luarocks 0, tree/lib/luarocks/rocks-5.4/sample/1-1/share/lua/5.4/sample.lua, not found
lib/lua/5.4: luarocks 0, tree/lib/lua/5.4/lua/5.4/sample.lua, not found
$(LUADIR): luarocks 0, tree/share/lua/5.4/sample.lua, found' ]]
