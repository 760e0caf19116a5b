local WHY <const> = "the kernel's first timeout grows with the round trip (RFC 6298), and taps at 24 hosts make that "
  .. "longer; each later timeout is twice the one before"

return { bounds = {
  ["rows[].rto"] = { part = 3, why = WHY },
  ["rows[].seconds"] = { part = 3, why = WHY },
} }
