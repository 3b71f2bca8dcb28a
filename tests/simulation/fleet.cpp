#include "tests/simulation/fleet.hpp"

#include <fmt/format.h>

#include <exception>

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

}  // namespace

Fleet::Fleet(Schedule& schedule, Descriptors& descriptors, const std::filesystem::path& folder,
             const edge::Settings& settings, int size)
    : schedule_(schedule), descriptors_(descriptors), folder_(folder) {
  std::vector<edge::fleet::Member> members;
  for (int i = 1; i <= size; ++i) {
    members.push_back({fmt::format("edge-{}", i), "http://" + place(i, viewer_port)});
  }
  for (int i = 1; i <= size; ++i) {
    auto machine = std::make_unique<Machine>();
    machine->settings = settings;
    machine->settings.name = members[index(i)].name;
    machine->settings.listen = {place(i, viewer_port)};
    machine->settings.admin = place(i, admin_port);
    machine->settings.members = members;
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
    edge::Node node(machine.settings, "");
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
  schedule_.start(*machine.process, [node = machine.node] { node->stop(); });
}

}  // namespace relay::simulation
