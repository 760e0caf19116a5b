-- lunet spec/kernels/specs.lua BUSTED FILE...: runs spec files in one guest, under the kernel that LUNET_TEST_KERNEL
-- names (script/test --kernel).
local lunet = require "lunet"

local KERNEL <const> = os.getenv "LUNET_TEST_KERNEL" or "6.1"
local BOUND <const> = 800 -- seconds

local words = { os.getenv "LUNET", "--kernel", KERNEL, arg[1], "--ignore-lua", "--helper=spec/kernels/lacking.lua",
  stderr = "stdout" }
table.move(arg, 2, #arg, #words + 1, words)
local process <close> = assert(lunet.exec(words))
print(assert(process.stdout:receive("a", BOUND)))
os.exit(process:wait(BOUND) == 0, true)
