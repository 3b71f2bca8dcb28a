#include "edge/policy/plan.hpp"

namespace relay::edge::policy {

std::string_view name_of(Goal goal) {
  switch (goal) {
    case Goal::objects:
      return "objects";
    case Goal::bytes:
      return "bytes";
    case Goal::writes:
      return "writes";
  }
  return "";
}

}  // namespace relay::edge::policy
