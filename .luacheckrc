std = "lua54"
max_line_length = 120
cache = false
self = false
-- A <close> value that only has to live until the end of its block is named _something.
ignore = { "211/_.+" }
files["spec"].std = "lua54+busted"
-- Declarations only: the functions have no bodies.
files["lua/lunet/types"].ignore = { "212", "241" }
