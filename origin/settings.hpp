// The origin's settings: conf/origin.toml as a struct with defaults. describe() is the one
// description of every key; reading, --check and the test of the conf file use it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/settings.hpp"
#include "origin/jobs/job_settings.hpp"
#include "origin/live/live_settings.hpp"

namespace relay::origin {

/// A rights-holder and the SHA-256 hashes of its keys; a key itself is never stored.
struct TenantSettings {
  std::string name;
  std::vector<std::string> key_sha256;  // 64 hexadecimal digits each
};

struct UploadSettings {
  std::uint64_t size_max = 100ull << 30;
  std::uint64_t free_space_min = 1ull << 30;
  std::int64_t concurrent_max = 16;
};

struct Settings {
  std::string listen = "127.0.0.1:7000";
  std::string admin = "127.0.0.1:7010";
  std::int64_t threads = 0;
  std::string path = "var/origin";
  std::string log_level = "info";
  std::string log_format = "text";
  UploadSettings uploads;
  std::vector<TenantSettings> tenants;
  std::vector<std::string> edges_admin;
  jobs::JobSettings jobs;
  live::LiveSettings live;
};

void describe(Schema& schema, Settings& into);

/// Loads and checks the rules between keys too, and that the programs that it names can be started.
Result<Settings> load(const std::string& path);

/// Worker threads, with 0 resolved.
unsigned thread_count(const Settings& settings);

}  // namespace relay::origin
