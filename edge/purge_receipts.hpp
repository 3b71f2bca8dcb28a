// The receipts of one purge: which members have applied it, and which cannot serve what they have
// stored until they have. Pure; time comes as a value.
//
// Members may differ in one member while they read a new config, and keep the promise (without a
// bus): two majorities of lists that differ in one member share a member, so one is to have applied
// it before anybody counts as fenced; and who is no member here, but has been lent trust by one,
// counts until it is used up. Who is none for anybody is not lent any (fleet::Trust).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "edge/bus/roster.hpp"

namespace relay::edge {

enum class ReceiptState : std::uint8_t {
  applied,  // durably in force there
  fenced,   // not heard of, but that member has lost its trust and asks upstream until it has
  pending,  // neither is certain yet
};
std::string_view name(ReceiptState state);

struct Receipt {
  std::string member;
  ReceiptState state = ReceiptState::pending;
  std::chrono::microseconds after{0};  // from the purge's coming until then; pending: until now
};

class PurgeReceipts {
 public:
  /// `lease`: of fleet::Trust; 0: nobody is ever fenced.
  PurgeReceipts(std::vector<std::string> members, std::uint64_t stamp,
                std::chrono::milliseconds lease, SteadyTime begun);

  std::uint64_t stamp() const { return stamp_; }
  /// There is a bus: nothing is settled before its stream has the purge, which then says as well
  /// who is a member. Before anything is noted.
  void await_stream() { awaits_stream_ = true; }
  /// It has. Whoever has not heard may have taken all of the stream just before, and trusts it for
  /// a lease. `members`: of the fleet after that, as are the standings. Of one with an old view
  /// nothing is certain before it is heard or forgotten: it may have a majority of its own.
  void note_streamed(const std::vector<std::string>& members,
                     const std::vector<bus::Standing>& standings, SteadyTime now);
  bool all_applied() const;
  bool streamed() const { return streamed_at_.has_value(); }
  /// A member has applied it. `lent`: how long, from `now` on, others may still build on what it
  /// told them before. Only the first word of a member counts.
  using Lent = std::map<std::string, std::chrono::milliseconds>;
  void note_applied(std::string_view member, const Lent& lent, SteadyTime now);

  /// From when on nothing is pending: SteadyTime::min() when all have applied it, nullopt while too
  /// few have for the others to be fenced.
  std::optional<SteadyTime> settled_at() const;
  std::vector<Receipt> list(SteadyTime now) const;

 private:
  struct Applied {
    SteadyTime at;
    Lent lent;
  };
  struct Member {
    bool listed = true;  // false: only another one knows it
    std::optional<Applied> applied;
  };
  std::optional<SteadyTime> fenced_at(const std::string& member) const;
  std::optional<SteadyTime> fenced_from_majority_at(const std::string& member) const;

  std::map<std::string, Member, std::less<>> members_;
  const std::uint64_t stamp_;
  const std::chrono::milliseconds lease_;
  const SteadyTime begun_;
  bool awaits_stream_ = false;
  std::optional<SteadyTime> streamed_at_;
  std::map<std::string, bus::Standing, std::less<>> standings_;
};

}  // namespace relay::edge
