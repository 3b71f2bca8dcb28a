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

std::string_view name_of(Memory memory) {
  return memory == Memory::recent ? "recent" : "lasting";
}

Goal goal_of(std::string_view name) {
  for (Goal goal : {Goal::bytes, Goal::writes}) {
    if (name_of(goal) == name) return goal;
  }
  return Goal::objects;
}

}  // namespace relay::edge::policy
