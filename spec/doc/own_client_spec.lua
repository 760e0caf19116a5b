local page = require "spec.support.page"

page.test(_ENV, "doc/own-client.md", { groups = { pytest = { "pytest", "test" } },
  parts = { busted = "#part_busted", pytest = "#part_pytest" } })
