// torchrelay-transcoder: one job on inherited descriptors, in a sandbox, then the end.
#include "common/base/log.hpp"
#include "common/base/program.hpp"
#include "common/media/job.hpp"
#include "transcoder/live/channel.hpp"
#include "transcoder/settings.hpp"
#include "transcoder/transcoder.hpp"

namespace {

constexpr relay::Program program{
    .name = "torchrelay-transcoder",
    .summary =
        "Turns one video, photo or live channel into renditions. The origin starts it with a job "
        "on descriptor 0, the source on 3 and its connection on 4.",
    .version = RELAY_VERSION,
    .needs_config = false,
};

relay::transcoder::Work work_of(relay::media::JobKind kind) {
  switch (kind) {
    case relay::media::JobKind::video:
      return relay::transcoder::make_video;
    case relay::media::JobKind::photo:
      return relay::transcoder::make_photo;
    case relay::media::JobKind::edges:
      return relay::transcoder::make_edges;
    case relay::media::JobKind::live:
      break;
  }
  return relay::transcoder::live::make_channel;
}

}  // namespace

int main(int argc, char** argv) {
  relay::Arguments arguments;
  if (auto status = relay::parse_arguments(argc, argv, program, arguments)) return *status;
  auto settings = relay::transcoder::load(arguments.config);
  if (!settings) {
    int status = relay::report_settings_error(settings.error());
    return arguments.check ? status : relay::media::exit_wrong_settings;
  }
  if (arguments.check) return relay::report_settings_valid(arguments);
  relay::log::configure("transcoder", relay::log::Level::info, relay::log::Format::text);
  auto job = relay::transcoder::read_job();
  if (!job) {
    relay::log::error("no job", {relay::kv("error", job.error().message)});
    return 2;
  }
  return relay::transcoder::run_job(*settings, *job, work_of(job->kind));
}
