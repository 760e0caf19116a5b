local TOLD <const> = { refused = true, port_icmp = true, host_icmp = true, admin_icmp = true, near_icmp = true,
  no_route = true }

return {
  shown = {
    lateness = "it says how late the machine was, and only widens the bounds of times by that",
    ["unbounded[].seconds"] = {
      why = "an error that comes back ends the connect as soon as it is there, after microseconds or a round trip",
      when = function(row) return TOLD[row.case] end,
    },
    ["unbounded[].syns"] = {
      why = "the third ARP request fails just when the third SYN is due, so that two or three go out",
      when = function(row) return row.case == "no_neighbour" end,
    },
  },
}
