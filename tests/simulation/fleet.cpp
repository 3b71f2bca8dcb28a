#include "tests/simulation/fleet.hpp"

#include <fmt/format.h>

#include <exception>
#include <fstream>
#include <utility>

#include "tests/simulation/exchange.hpp"
#include "tests/simulation/origin.hpp"

namespace relay::simulation {
namespace {

std::string place(int host, int port) {
  return fmt::format("127.0.1.{}:{}", host, port);
}

/// As a killed program leaves them. Locks lie in a file of their own, and are left behind: in this
/// process their holders sleep for good.
void copy_store(const std::filesystem::path& from, const std::filesystem::path& to) {
  namespace files = std::filesystem;
  files::create_directories(to);
  for (const auto& entry : files::recursive_directory_iterator(from)) {
    files::path target = to / entry.path().lexically_relative(from);
    if (entry.is_directory()) {
      files::create_directories(target);
    } else if (entry.path().filename() != "lock.mdb") {
      files::copy_file(entry.path(), target);
    }
  }
}

/// What of the settings a reload may change, and what it must name.
std::string config_text(const edge::Settings& settings) {
  std::string members;
  for (const edge::fleet::Member& each : settings.members) {
    members += fmt::format("  {{ name = \"{}\", url = \"{}\", weight = {}, drain = {} }},\n",
                           each.name, each.url, each.weight, each.drain);
  }
  return fmt::format(
      "[edge]\nname = \"{}\"\nlisten = [\"{}\"]\nadmin = \"{}\"\n[cache]\npath = \"{}\"\n"
      "[[upstream]]\nurl = \"{}\"\n[fleet]\nprobe_interval = \"{}ms\"\nslow_start = \"{}ms\"\n"
      "handover = \"{}ms\"\nmembers = [\n{}]\n",
      settings.name, settings.listen.front(), settings.admin, settings.cache_path,
      settings.upstreams.front().url, settings.live.probe_interval.count(),
      settings.live.slow_start.count(), settings.live.handover.count(), members);
}

}  // namespace

Fleet::Fleet(Schedule& schedule, Descriptors& descriptors, const std::filesystem::path& folder,
             const edge::Settings& settings, int size)
    : schedule_(schedule), descriptors_(descriptors), folder_(folder) {
  for (int i = 1; i <= size; ++i) {
    members_.push_back({fmt::format("edge-{}", i), "http://" + place(i, viewer_port)});
  }
  for (int i = 1; i <= size; ++i) {
    auto machine = std::make_unique<Machine>();
    machine->settings = settings;
    machine->settings.name = members_[index(i)].name;
    machine->settings.listen = {place(i, viewer_port)};
    machine->settings.admin = place(i, admin_port);
    machine->settings.members = members_;
    machine->settings.upstreams = {{"http://" + place(origin_host, origin_port)}};
    machine->process = std::make_shared<Process>();
    machine->process->alive = false;
    machines_.push_back(std::move(machine));
  }
}

void Fleet::start(int number) {
  Machine& machine = *machines_[index(number)];
  auto folder = folder_ / fmt::format("{}.{}", machine.settings.name, ++machine.runs);
  if (machine.runs > 1) copy_store(machine.folder, folder);
  machine.folder = folder;
  machine.stopping = false;
  machine.settings.cache_path = folder;
  auto process = std::make_shared<Process>();
  process->name = machine.settings.name;
  process->host = number;
  process->wall_offset = machine.process->wall_offset;
  machine.process = process;
  processes_.push_back(process);
  schedule_.start(*process, [this, &machine, process] { run(machine, *process); });
}

/// On the program's main thread.
void Fleet::run(Machine& machine, Process& process) {
  try {
    const edge::Settings settings = machine.settings;  // as they are now, while it runs
    edge::Node node(settings, config_of(machine).string());
    machine.node = &node;
    node.run();
    machine.node = nullptr;
  } catch (const std::exception& error) {
    machine.why_not_started = error.what();
  }
  schedule_.after(Time(0), [this, &process] {
    process.alive = false;
    descriptors_.close_all_of(process);
  });
}

void Fleet::kill(int number) {
  Machine& machine = *machines_[index(number)];
  machine.process->alive = false;
  machine.node = nullptr;
  descriptors_.close_all_of(*machine.process);
}

void Fleet::stop(int number) {
  Machine& machine = *machines_[index(number)];
  if (!machine.node || !machine.process->alive) return;
  machine.stopping = true;
  schedule_.start(*machine.process, [node = machine.node] { node->stop(); });
}

std::filesystem::path Fleet::config_of(const Machine& machine) const {
  return folder_ / (machine.settings.name + ".toml");
}

void Fleet::give_members(int number, std::vector<edge::fleet::Member> members) {
  Machine& machine = *machines_[index(number)];
  machine.settings.members = std::move(members);
  std::ofstream(config_of(machine)) << config_text(machine.settings);
  if (!machine.node || !machine.process->alive || machine.stopping) return;
  schedule_.start(*machine.process, [node = machine.node] { node->reload(); });
}

}  // namespace relay::simulation
