#include "common/media/edge_json.hpp"

#include "common/media/object_reader.hpp"

namespace relay::media {
namespace {

Result<EdgePiece> piece_from(const json::object& object) {
  EdgePiece piece;
  ObjectReader reader("job.edges.piece", object);
  reader.integer("number", piece.number);
  reader.integer("offset", piece.offset);
  reader.integer("bytes", piece.bytes);
  reader.integer("from_us", piece.from_us);
  if (object.contains("to_us")) reader.integer("to_us", piece.to_us.emplace());
  if (object.contains("date_us")) reader.integer("date_us", piece.date_us.emplace());
  if (piece.from_us < 0) reader.refuse("from_us", "0 or more");
  if (reader.error()) return bad_input(*reader.error());
  return piece;
}

Result<EdgeRendition> rendition_from(const json::object& object) {
  EdgeRendition rendition;
  ObjectReader reader("job.edges.rendition", object);
  reader.text("name", rendition.name);
  reader.flag("picture", rendition.picture);
  reader.integer("bit_s_max", rendition.bit_s_max);
  const json::array* pieces = reader.list("pieces");
  if (rendition.name.empty()) reader.refuse("name", "a name");
  if (reader.error()) return bad_input(*reader.error());
  for (const json::value& item : pieces ? *pieces : json::array()) {
    if (!item.is_object()) return bad_input("job.edges: 'pieces' must hold objects");
    auto piece = piece_from(item.get_object());
    if (!piece) return std::unexpected(piece.error());
    rendition.pieces.push_back(*piece);
  }
  return rendition;
}

json::object to_object(const EdgePiece& piece) {
  json::object object{{"number", piece.number},
                      {"offset", piece.offset},
                      {"bytes", piece.bytes},
                      {"from_us", piece.from_us}};
  if (piece.to_us) object["to_us"] = *piece.to_us;
  if (piece.date_us) object["date_us"] = *piece.date_us;
  return object;
}

}  // namespace

json::object to_object(const EdgeJob& job) {
  json::array renditions;
  for (const EdgeRendition& rendition : job.renditions) {
    json::array pieces;
    for (const EdgePiece& piece : rendition.pieces) pieces.push_back(to_object(piece));
    renditions.push_back(json::object{{"name", rendition.name},
                                      {"picture", rendition.picture},
                                      {"bit_s_max", rendition.bit_s_max},
                                      {"pieces", std::move(pieces)}});
  }
  return {{"live", job.live}, {"renditions", std::move(renditions)}};
}

Result<EdgeJob> edge_job_from(const json::object& object) {
  EdgeJob job;
  ObjectReader reader("job.edges", object);
  reader.flag("live", job.live);
  const json::array* renditions = reader.list("renditions");
  if (reader.error()) return bad_input(*reader.error());
  for (const json::value& item : renditions ? *renditions : json::array()) {
    if (!item.is_object()) return bad_input("job.edges: 'renditions' must hold objects");
    auto rendition = rendition_from(item.get_object());
    if (!rendition) return std::unexpected(rendition.error());
    job.renditions.push_back(std::move(*rendition));
  }
  return job;
}

}  // namespace relay::media
