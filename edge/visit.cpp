#include "edge/visit.hpp"

namespace relay::edge {

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::hit:
      return "hit";
    case Outcome::stale:
      return "stale";
    case Outcome::revalidated:
      return "revalidated";
    case Outcome::miss:
      return "miss";
    case Outcome::joined:
      return "joined";
    case Outcome::pass:
      return "pass";
    case Outcome::local:
      return "local";
    case Outcome::refused:
      return "refused";
    case Outcome::failed:
      return "failed";
  }
  return "local";
}

}  // namespace relay::edge
