// Sends answers: from a stored object (copied when small, sendfile from LMDB's own file when
// large) or from a flight while its bytes still arrive. Ranges and conditions are the same for
// both. What is_for_origin() is never delivered.
#pragma once

#include "common/net/blocking.hpp"
#include "edge/answer.hpp"
#include "edge/flight.hpp"
#include "edge/visit.hpp"

namespace relay::edge {

/// Bodies up to this are copied into the same write as their head; larger ones go by sendfile.
/// The line is measured (docs/decisions.md, 2).
inline constexpr std::uint64_t copied_body_bytes_max = 24 * 1024;

class Deliver {
 public:
  /// `edge_name` stands in Via and Cache-Status. The pool reads what is not in memory.
  Deliver(std::string edge_name, net::Blocking& blocking);

  /// The object is held by the caller until this returns.
  net::Task<void> object(Visit& visit, const cache::Object& object, const StoredResponse& stored);

  /// A part answers as planned (edge/part). `length` is that of the body which the plan speaks of.
  net::Task<void> part(Visit& visit, const cache::Object& object, const StoredResponse& stored,
                       AnswerPlan plan, std::uint64_t length);

  /// `view` is the flight at streaming or complete. A flight that fails on the way resets the
  /// connection.
  net::Task<void> flight(Visit& visit, Flight& flight, FlightView view);

  /// Where an answer's bytes come from.
  class Source {
   public:
    virtual ~Source() = default;
    /// Some first bytes, at most `length`, when they are at hand and few enough to be copied.
    virtual std::string_view ready(std::uint64_t offset, std::uint64_t length) = 0;
    virtual net::Task<Result<void>> send(net::Exchange& exchange, std::uint64_t offset,
                                         std::uint64_t length) = 0;
    /// The disk did not give what ready() pointed to.
    virtual void note_unreadable() {}
  };
  /// A body of that length, from any source. One that fails on the way resets the connection.
  net::Task<void> from(Visit& visit, const StoredResponse& stored, std::uint64_t length,
                       Source& source);
  /// Bytes of a stored body, or of a flight's, without a head.
  net::Task<Result<void>> send(net::Exchange& exchange, const cache::Object& object,
                               std::uint64_t offset, std::uint64_t length);
  net::Task<Result<void>> send(net::Exchange& exchange, Flight& flight, std::uint64_t offset,
                               std::uint64_t length);

  /// Field lines of this hop: Cache-Status (with those of the hops behind) and Via.
  void append_hop_lines(std::string& text, const Visit& visit) const;
  /// The same into a head that is passed on.
  void add_hop_fields(const Visit& visit, http::Headers& headers) const;
  /// An error of this edge's own. Players on pages of other sites may read it: to them one without
  /// these fields has no status, and hls.js does not ask again after that.
  net::Task<void> refuse(Visit& visit, http::Response response) const;

 private:
  class ObjectSource;
  class FlightSource;
  net::Task<void> send_plan(Visit& visit, const StoredResponse& stored, std::uint64_t length,
                            Source& source, AnswerPlan plan);
  net::Task<void> send_growing(Visit& visit, Flight& flight, const FlightView& view);
  net::Task<void> refuse_range(Visit& visit, std::uint64_t length);

  const std::string edge_name_;
  const std::string via_line_;
  net::Blocking& blocking_;
};

}  // namespace relay::edge
