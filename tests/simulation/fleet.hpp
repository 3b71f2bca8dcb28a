// The machines of the fleet, each with one run after another of the edge's own program
// (edge/node), started, stopped and killed by the world.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "edge/node.hpp"
#include "tests/simulation/descriptors.hpp"

namespace relay::simulation {

/// What a run's end leaves is all that the next one finds.
struct Machine {
  edge::Settings settings;
  int runs = 0;
  std::filesystem::path folder;      // of the present run's store
  std::shared_ptr<Process> process;  // the present run, or the last
  edge::Node* node = nullptr;        // while it serves
  bool stopping = false;
  std::string why_not_started;  // what its start threw
};

class Fleet {
 public:
  static constexpr int viewer_port = 7101, admin_port = 7201;

  /// `settings`: of all; names, addresses, members and folders are filled in.
  Fleet(Schedule& schedule, Descriptors& descriptors, const std::filesystem::path& folder,
        const edge::Settings& settings, int size);

  int size() const { return static_cast<int>(machines_.size()); }
  const Machine& machine(int number) const { return *machines_[index(number)]; }
  Process& process(int number) { return *machines_[index(number)]->process; }
  const std::vector<edge::fleet::Member>& members() const { return members_; }
  bool is_up(int number) const { return machine(number).process->may_run(); }

  // Machines are numbered from 1, as their hosts.
  void start(int number);
  void kill(int number);
  /// As SIGTERM: it drains and ends; a later start() finds a store that was closed well.
  void stop(int number);
  /// Another config, which it reads at once if it runs.
  void give_members(int number, std::vector<edge::fleet::Member> members);

 private:
  static std::size_t index(int number) { return static_cast<std::size_t>(number) - 1; }
  void run(Machine& machine, Process& process);
  std::filesystem::path config_of(const Machine& machine) const;

  Schedule& schedule_;
  Descriptors& descriptors_;
  const std::filesystem::path folder_;
  std::vector<edge::fleet::Member> members_;  // to begin with
  std::vector<std::unique_ptr<Machine>> machines_;
  std::vector<std::shared_ptr<Process>> processes_;  // all that ever ran
};

}  // namespace relay::simulation
