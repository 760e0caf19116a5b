local release = require "lunet.text.release"

describe("a release of Linux", function()
  it("is older by its numbers, not by its letters", function()
    for _, pair in ipairs { { "6.1.176", "6.12" }, { "5.10.46", "6.1" }, { "6.1", "6.1.1" } } do
      assert.is_true(release.is_older(pair[1], pair[2]))
      assert.is_false(release.is_older(pair[2], pair[1]))
    end
    assert.is_false(release.is_older("6.1", "6.1"))
  end)

  it("is named by its beginning, in whole numbers", function()
    assert.is_true(release.is_named("6.1.176", "6.1"))
    assert.is_true(release.is_named("6.1.176", "6.1.176"))
    assert.is_false(release.is_named("6.12.1", "6.1"))
    assert.is_false(release.is_named("6.1", "6.1.176"))
  end)

  it("has a line, also where a package's version goes on", function()
    assert.equal("6.16", release.line "6.16.3-1~bpo13+1")
    assert.is_nil(release.line "newest")
  end)

  it("is the newest of its line, however the lists have it", function()
    assert.same({ { line = "5.10", version = "5.10.9-1" }, { line = "6.1", version = "6.1.10-1" } },
      release.newest_of_lines {
        { line = "6.1", version = "6.1.9-1" }, { line = "6.1", version = "6.1.10-1" },
        { line = "5.10", version = "5.10.9-1" },
      })
  end)
end)
