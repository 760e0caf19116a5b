return {
  shown = {
    ["counts[].resent"] = "clients without an answer go on sending SYNs; the check asks if cookies are too many",
    ["story.dropped"] = "dropped segments are sent again, so that the server may drop more than the phantoms wrote",
  },
}
