local page = require "spec.support.page"

page.test(_ENV, "doc/guide.md", {
  groups = { ["ticket.lua"] = { "gunicorn", "peers" }, sweep = { "gnuplot", "sweep" } },
  parts = { sweep = "#part_figure", ["connect-timeout"] = "#part_client" },
})
