// The pages that the origin hands out: the console at "/", the watch page of any asset, the
// highlight desk of a channel, video or clip, and the styles, scripts and player library that they
// use, all built into the binary.
//
// Pages may change from one release to the next, so they are cached for a minute and revalidated;
// what they load lies under an address that carries the hash of all of it, and never changes.
#pragma once

#include <functional>
#include <optional>

#include "common/http/message.hpp"

namespace relay::origin::web {

/// Answers GET and HEAD of
///   /                             the console
///   /watch/{tenant}/{asset}       the watch page (the same for every asset; it asks for the rest);
///                                 404 with a page that says so when there is none of that name
///   /desk/{tenant}/{asset}        the highlight desk (likewise)
///   /static/{hash}/{file}         immutable; 404 when the hash is not this release's
/// and nullopt for every other path or method. If-None-Match gives 304 (RFC 9110 13.1.2), and
/// Accept-Encoding decides about gzip. `has_asset` is asked for watch pages only: whether that
/// asset is there, ready or not. Pure, thread-safe; views in `head` are not kept.
std::optional<http::Response> page(const http::RequestHead& head,
                                   const std::function<bool()>& has_asset);

}  // namespace relay::origin::web
