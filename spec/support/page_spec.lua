local page = require "spec.support.page"

local PAGE <const> = [[
Text.

```lua
-- a.lua
return 1
```

<!-- not run: it waits for ever -->
<!-- not compared: by chance -->
```sh
lunet a.lua
```

<!-- not run: `lunet b`: no b -->
1. A list.

   ```sh
   lunet b.lua \
     --json   # exit status 3: there is none
   # a remark
   echo 'two
   lines'
   ```
]]

describe("a page", function()
  it("has blocks, with their names and what is said of them", function()
    local blocks = page.blocks(PAGE)
    assert.same({ 3, "lua", "a.lua", "-- a.lua\nreturn 1\n" },
      { blocks[1].line, blocks[1].language, blocks[1].name, blocks[1].text })
    assert.same({ "it waits for ever", "sh" }, { blocks[2].left_out[""], blocks[2].language })
    assert.is_truthy(blocks[2].incomparable)
    assert.same({ { ["lunet b"] = "no b" }, nil, 3 }, { blocks[3].left_out, blocks[3].name, #blocks })
    assert.has_error(function() page.blocks "```sh\nx\n" end)
  end)

  it("has commands, with their exit statuses", function()
    assert.same({ { words = "lunet b.lua   --json   # exit status 3: there is none", status = 3 },
      { words = "echo 'two\nlines'", status = 0 } }, page.commands(page.blocks(PAGE)[3].text))
  end)

  it("shows lines of an output in their order, whatever the times", function()
    local output = "a  1\nb 0.251 s\nc (x) 5%\nd\n"
    for _, shown in ipairs { "a 1\nd\n", "b 1.5 s\n", "...\nc ... 5%\n", "" } do
      assert.is_nil(page.missing_line(shown, output))
    end
    for shown, missing in pairs { ["a 2\n"] = "a 2", ["d\na 1\n"] = "a 1", ["c (x)\n"] = "c (x)",
      ["b 1 s\n"] = "b 1 s" } do
      assert.equal(missing, page.missing_line(shown, output))
    end
  end)

  -- The blocks of a page, each as a function that raises if the block does not do what it shows.
  local function blocks_of(text)
    local name, list, finish = os.tmpname(), {}, nil
    local file <close> = assert(io.open(name, "w"))
    assert(file:write(text) and file:close())
    local env = { describe = function(_, body) body() end, setup = function(fn) fn() end,
      teardown = function(fn) finish = fn end, it = function(_, fn) list[#list + 1] = fn end, pending = error }
    page.test(env, ("../"):rep(20) .. name)
    os.remove(name)
    return list, finish
  end

  it("is wrong if a command, an output or a script does not do what it shows, or if nobody says what to do", function()
    local right, finish = blocks_of("```sh\nlunet -e 'os.exit(3)' # exit status 3\necho x\n```\n```\nx\n```\n"
      .. "```lua\nprint(1) --> 1\n```\n")
    for _, block in ipairs(right) do block() end
    finish()
    for _, text in ipairs { "```sh\necho; false\n```\n", "```sh\ntrue\n```\n", "```sh\nlunet none.lua\n```\n",
      "```lua\nprint(1) --> 2\n```\n",
      "```lua\nit('fails', function() assert.equal(1, 2) end)\n```\n", "```yaml\na: 1\n```\n", "```\nx\n```\n" } do
      local wrong, close = blocks_of(text)
      assert.has_error(wrong[1])
      close()
    end
  end)
end)
