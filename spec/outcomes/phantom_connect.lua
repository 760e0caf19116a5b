return {
  shown = {
    ["story.dropped"] = "dropped segments are sent again, so that the server may drop more than the phantoms wrote",
  },
}
