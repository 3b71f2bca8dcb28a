// Content negotiation in the two cases that we have (RFC 9110 12.5): the format of a photo and the
// coding of text. Answers are from a small fixed set, so that caches keep few variants. Pure.
#pragma once

#include <optional>
#include <span>
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

}  // namespace relay::http
