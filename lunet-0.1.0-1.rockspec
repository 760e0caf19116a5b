rockspec_format = "3.0"
package = "lunet"
version = "0.1.0-1"
source = {
  url = "file://lunet-0.1.0.tar.gz", -- doc/releasing.md makes it
}
description = {
  summary = "A laboratory for TCP listen queues and timeouts",
  detailed = [[
A short Lua script plays a server that will not accept, a client that gives up, and everything in between, on the real
kernel. lunet shows on one clock what client, server and kernel each believed, and checks the script's claim.]],
  license = "MIT",
  labels = { "network", "testing" },
}
supported_platforms = { "linux" }
dependencies = {
  "lua >= 5.4, < 5.5",
  "argparse >= 0.7",
  "dkjson >= 2.5",
  "luafilesystem >= 1.8",
  "luassert >= 1.8", -- lunet.assert and lunet.busted
}
build = {
  type = "cmake",
  -- LuaRocks moves what is in LUADIR and LIBDIR to where require looks, and leaves the rest. So the guard is with the
  -- module.
  variables = {
    BUILD_TESTING = "OFF",
    CMAKE_BUILD_TYPE = "Release",
    CMAKE_INSTALL_PREFIX = "$(PREFIX)",
    LUNET_LIBRARY_DIRECTORY = "$(LUADIR)",
    LUNET_MODULE_DIRECTORY = "$(LIBDIR)",
    LUNET_GUARD_DIRECTORY = "$(LIBDIR)/libexec",
  },
}
