-- How a file is replaced (core/platform/replacement.c): whole or not at all.
local core = require "lunet.core"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

describe("the replacement of a file", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  local function path_of(name) return place.path .. "/" .. name end

  local function shell(command)
    local result = program.shell("cd '" .. place.path .. "' && " .. command)
    assert.same({ 0, "" }, { result.status, result.errors })
    return result.output
  end

  it("makes a file that was not there, with any bytes", function()
    assert.is_true(core.replace_file(path_of "a", "x\0y\n"))
    assert.equal("x\0y\n", place:read "a")
    assert.equal("a\n", shell "ls -A")
  end)

  it("leaves what others have open as it was, and keeps mode and owner", function()
    place:write("a", "OLD")
    shell "chmod 640 a"
    local former <close> = assert(io.open(path_of "a"))
    assert.is_true(core.replace_file(path_of "a", "NEW"))
    assert.equal("OLD", former:read "a")
    assert.equal("NEW", place:read "a")
    assert.equal("640\na\n", shell "stat -c %a a; ls -A")
  end)

  it("follows a symbolic link, also to what is not there yet", function()
    place:write("far/a", "OLD")
    shell "ln -s far/a link && ln -s far/b dangling"
    assert.is_true(core.replace_file(path_of "link", "NEW"))
    assert.is_true(core.replace_file(path_of "dangling", "FIRST"))
    assert.equal("NEW", place:read "far/a")
    assert.equal("FIRST", place:read "far/b")
    assert.equal("far/a\nfar/b\n", shell "readlink link dangling")
  end)

  it("writes to what is no file as it is", function()
    assert.equal("none", core.can_replace_file(path_of "a"))
    place:write("empty", "")
    assert.equal("none", core.can_replace_file(path_of "empty"))
    place:write("a", "OLD")
    assert.equal("file", core.can_replace_file(path_of "a"))
    assert.equal("stream", core.can_replace_file "/dev/full")
    assert.same({ nil, "/dev/full: No space left on device", "ENOSPC" }, { core.replace_file("/dev/full", "x") })
    local piped = shell [["$LUNET" -e 'print(require("lunet.core").replace_file("/dev/stdout", "x\n"))' | cat]]
    assert.equal("x\ntrue\n", piped)
  end)

  it("adds to the file that is standard output, and does not part with it", function()
    shell [["$LUNET" -e 'print "one" io.flush() print(require("lunet.core").replace_file("/dev/stdout", "two\n"))' >a]]
    assert.equal("one\ntwo\ntrue\n", place:read "a")
  end)

  it("is refused beforehand where it would fail, and makes nothing", function()
    place:write("a", "OLD")
    local function refused(path) return select(3, core.can_replace_file(path)) end
    assert.equal("EISDIR", refused(place.path))
    assert.equal("ENOENT", refused(path_of "none/a"))
    assert.equal("ENOTDIR", refused(path_of "a/b"))
    assert.equal("ENOENT", refused "")
    shell "ln -s loop loop"
    assert.equal("ELOOP", refused(path_of "loop"))
    assert.equal("a\nloop\n", shell "ls -A")
  end)

  it("leaves nothing half-written when it fails", function()
    local result = program.shell_with_mounts([[
      mount -t tmpfs -o size=8k tmpfs PLACE && echo OLD >PLACE/a || exit 99
      "$LUNET" -e 'print(select(3, require("lunet.core").replace_file("PLACE/a", ("x"):rep(20000))))'
      cat PLACE/a && ls -A PLACE]], place.path)
    assert.same({ 0, "ENOSPC\nOLD\na\n", "" }, { result.status, result.output, result.errors })
  end)
end)
