local dkjson = require "dkjson"
local json = require "lunet.text.json"

-- On one line, to be compared.
local function encode(value, first)
  local text = json.encode(value, first)
  assert.is_truthy(dkjson.decode(text) ~= nil)
  return (text:gsub("\n *", ""))
end

describe("JSON", function()
  it("writes whole numbers as such, and floats with a point or an exponent", function()
    assert.equal("[1,-1,0,1.0,0.5,1e+300]", encode { 1, -1, 0, 1.0, 0.5, 1e300 })
  end)

  it("writes every integer exactly", function()
    assert.equal("[9223372036854775807,-9223372036854775808,9007199254740993]",
      encode { math.maxinteger, math.mininteger, 2 ^ 53 | 1 })
  end)

  it("writes numbers that JSON has no form for as strings", function()
    assert.equal('["nan","nan","inf","-inf"]', encode { 0 / 0, -(0 / 0), math.huge, -math.huge })
    assert.equal('{"t":"inf"}', encode { t = math.huge })
  end)

  it("writes booleans and strings", function()
    assert.equal('{"no":false,"text":"x","yes":true}', encode { yes = true, no = false, text = "x" })
  end)

  it("writes what is no table too", function()
    assert.same({ "1", '"x"', "true", '"nan"' }, { encode(1), encode "x", encode(true), encode(0 / 0) })
  end)

  it("writes a list as an array and a map as an object, one in the other", function()
    assert.equal('{"a":[1,{"b":[[2],[3]]}],"c":{"d":{"e":4}}}',
      encode { a = { 1, { b = { { 2 }, { 3 } } } }, c = { d = { e = 4 } } })
  end)

  it("writes an empty table as an array, or as an object if it is marked", function()
    assert.equal('{"list":[],"map":{}}', encode { list = {}, map = json.object {} })
  end)

  it("writes a marked table as an object even if it looks like a list", function()
    assert.equal('{"1":"a","2":"b"}', encode(json.object { "a", "b" }))
  end)

  it("does not change what it writes", function()
    local inner = { "\xff", n = 2 }
    local value = { inner = inner, t = math.huge }
    encode(value)
    assert.equal(inner, value.inner)
    assert.same({ inner = { "\xff", n = 2 }, t = math.huge }, value)
    assert.is_nil(getmetatable(value))
  end)

  it("writes a list with holes as an object, however it was made", function()
    assert.equal('{"2":"b"}', encode { nil, "b" })
    assert.equal('{"1":"a","3":"c"}', encode { "a", nil, "c" })
    assert.equal('{"1":1,"100":2}', encode { [1] = 1, [100] = 2 })
    assert.equal('{"-1":2,"0":1}', encode { [0] = 1, [-1] = 2 })
  end)

  it("writes a table with both kinds of keys as an object", function()
    assert.equal('{"1":"a","x":"b"}', encode { "a", x = "b" })
    assert.equal('{"1":"a","2":"b","n":2}', encode(table.pack("a", "b")))
  end)

  -- dkjson takes a field `n` for the length of a list: { n = 3 } came out as [null,null,null], and a
  -- knob named n made the whole object of knobs unreadable.
  it("writes a map whose only key is n as an object", function()
    assert.equal('{"n":3}', encode { n = 3 })
    assert.equal('{"n":0}', encode(json.object { n = 0 }))
    assert.equal('{"n":"inf"}', encode { n = math.huge })
    assert.equal('{"n":false}', encode { n = false })
    assert.equal('{"n":{"n":2.5}}', encode { n = { n = 2.5 } })
  end)

  it("sorts the keys of every object", function()
    local value = {}
    for letter in ("qwertyuiopasdfghjklzxcvbnm"):gmatch "." do value[letter] = { z = 1, a = 2 } end
    local keys = {}
    for key, inner in encode(value):gmatch '"(%l)":{(.-)}' do
      keys[#keys + 1] = key
      assert.equal('"a":2,"z":1', inner)
    end
    assert.equal("abcdefghijklmnopqrstuvwxyz", table.concat(keys))
  end)

  it("sorts keys that had to be rewritten too", function()
    assert.equal([[{"1":1,"10":2,"\\xff":3,"\\xffa":4,"b":5}]],
      encode { [1] = 1, [10] = 2, ["\xff"] = 3, ["\xffa"] = 4, b = 5 })
  end)

  -- Every key that was named to come first was written once more among the others: JSON with each
  -- name twice, which a parser may refuse.
  it("puts the chosen keys first, and writes each key once", function()
    assert.equal('{"z":1,"m":2,"a":3,"b":{"z":4,"a":5}}',
      encode({ a = 3, m = 2, z = 1, b = { a = 5, z = 4 } }, { "z", "m", "absent" }))
  end)

  it("leaves the list of chosen keys alone", function()
    local first = { "z" }
    encode({ a = 1, z = 2 }, first)
    assert.same({ "z" }, first)
  end)
end)

describe("strings in JSON", function()
  it("keep UTF-8 as it is", function()
    assert.equal('"häßlich 你好 😀"', encode "häßlich 你好 😀")
  end)

  it("come back from a parser as they were", function()
    for _, text in ipairs { "", '"quoted"', "back\\slash", "a\nb\tc\r\b\f", "\0\1\31\127", "/", "</script>",
      "\u{2028}\u{feff}\u{10ffff}", "häßlich" } do
      assert.equal(text, dkjson.decode(json.encode(text)))
      assert.same({ [text] = text }, dkjson.decode(json.encode { [text] = text }))
    end
  end)

  it("show the bytes that belong to no character by number", function()
    assert.equal([["a\\xffb\\x80"]], encode "a\xffb\x80")
    assert.equal([["ä and \\xff"]], encode "ä and \xff")
    assert.equal([["\\xc3"]], encode "\xc3") -- the first half of a character
    assert.equal([["\\xed\\xa0\\x80"]], encode "\xed\xa0\x80") -- half of a surrogate pair
  end)

  it("may hold every byte", function()
    local bytes = {}
    for i = 0, 255 do bytes[i + 1] = string.char(i) end
    local text = json.encode { table.concat(bytes) }
    assert.equal(utf8.len(text), #text)
    assert.equal(128 + 128 * #"\\xHH", #dkjson.decode(text)[1])
  end)

  it("may be keys that are not UTF-8", function()
    assert.equal([[{"\\xfe":1}]], encode { ["\xfe"] = 1 })
  end)
end)

describe("JSON that is read", function()
  local loaded

  -- The module as another program would load it; without LPeg if `preload` says so.
  local function load_again(preload)
    loaded = { json = package.loaded["lunet.text.json"], dkjson = package.loaded.dkjson, lpeg = package.loaded.lpeg }
    package.loaded["lunet.text.json"], package.loaded.dkjson, package.loaded.lpeg = nil, nil, nil
    package.preload.lpeg = preload
    return require "lunet.text.json"
  end

  after_each(function()
    if not loaded then return end
    package.loaded["lunet.text.json"], package.loaded.dkjson, package.loaded.lpeg = loaded.json, loaded.dkjson,
      loaded.lpeg
    package.preload.lpeg, loaded = nil, nil
  end)

  local TEXT <const> = json.encode { whole = 3, float = 3.0, far = math.maxinteger, small = 1e-300, inf = math.huge,
    text = "a\"\\\n\0é😀", list = { 1, { 2 } }, empty = {}, ok = true, no = false, deep = { a = { b = { c = "d" } } } }

  local function check(reader)
    local data = reader.decode(TEXT)
    assert.same(dkjson.decode(TEXT), data)
    assert.same({ "integer", "float", math.maxinteger }, { math.type(data.whole), math.type(data.float), data.far })
    assert.equal("a\"\\\n\0é😀", data.text)
    assert.same({ {}, {}, { a = {} } }, reader.decode '[{ }, [ ], {"a":{\n  }}]')
    assert.same({ knobs = {} }, reader.decode(json.encode { knobs = json.object {} }))
    for _, broken in ipairs { "", "{", '{"a": ', "[1, 2", "\0" } do
      assert.is_nil(reader.decode(broken), broken)
    end
  end

  it("is what was written, with LPeg", function()
    assert.is_true(pcall(require, "lpeg"))
    check(load_again(nil))
    assert.is_table(package.loaded.lpeg)
  end)

  it("is the same without LPeg", function()
    check(load_again(function() error "module 'lpeg' is not here" end))
    assert.is_nil(package.loaded.lpeg)
  end)
end)
