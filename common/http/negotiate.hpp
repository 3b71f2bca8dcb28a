// Content negotiation (RFC 9110 12.5) in the cases that we have: the format of a photo, the coding
// of text, and for caches the one spelling of preferences that mean the same. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace relay::http {

enum class PhotoFormat { jpg, webp, avif };

std::string_view extension(PhotoFormat format);   // "jpg"
std::string_view media_type(PhotoFormat format);  // "image/jpeg"

/// The best of `offered` by the client's weights; between equals the smaller file: AVIF, WebP,
/// JPEG. AVIF and WebP only when the client names them: "image/*" and "*/*" come from clients
/// that cannot show them. JPEG when nothing fits.
PhotoFormat choose_photo_format(std::string_view accept, std::span<const PhotoFormat> offered);

enum class Coding { identity, gzip };

/// gzip when Accept-Encoding allows it (also by "*"), else identity.
Coding choose_coding(std::optional<std::string_view> accept_encoding);

/// Accept, Accept-Language, Accept-Encoding or Accept-Charset in one spelling for all that mean
/// the same: names in lower case (parameters of media types as they are), no white space, the most
/// wanted first, equals in alphabetical order, each once, and the weight only where it is not 1.
/// The order of equals has no meaning that could be relied upon (12.5.4). For lists without quoted
/// strings.
std::string normal_preferences(std::string_view list);

/// What the list wants above all else, in lower case; empty when two are wanted alike, or anything
/// ("*"), or nothing.
std::string favourite(std::string_view list);

}  // namespace relay::http
