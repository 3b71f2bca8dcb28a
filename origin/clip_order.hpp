// What a broadcaster asks for with PUT clips/{asset}: {"from": asset, "start": T, "end": T,
// "title": "…", "tags": ["…"], "gaps": true, "exact": true}. T is seconds from the source's
// beginning (a number) or a moment (RFC 3339). Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "origin/clip/clip.hpp"
#include "origin/json_body.hpp"

namespace relay::origin {

struct ClipOrder {
  std::string from;
  clip::Wish wish;
  Labels labels;
  bool exact = false;  // to the frame, once its edges are made
};

/// Only "from" must be there. Errors (invalid) say line and column.
Result<ClipOrder> read_clip_order(std::string_view text);

}  // namespace relay::origin
