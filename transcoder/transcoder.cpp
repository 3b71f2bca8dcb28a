#include "transcoder/transcoder.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>

#include "common/base/log.hpp"
#include "transcoder/av.hpp"
#include "transcoder/edges.hpp"
#include "transcoder/photo.hpp"
#include "transcoder/pipeline.hpp"
#include "transcoder/presentation.hpp"
#include "transcoder/sandbox.hpp"
#include "transcoder/starvation.hpp"

namespace relay::transcoder {
namespace {

constexpr std::size_t job_bytes_max = 256 << 20;  // playlists of many hours

// A thread that cannot be made counts too: its stack has no room.
[[noreturn]] void ended_by_an_exception() {
  try {
    if (auto thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    av::out_of_memory("an object");
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again) av::out_of_memory("a thread");
  } catch (...) {
  }
  std::abort();
}

Result<void> prepare(const Settings& settings, const media::Job& job) {
  // Need of more memory than the limit ends the process with a code of its own.
  std::set_new_handler([] { av::out_of_memory("an object"); });
  std::set_terminate(ended_by_an_exception);
  name_starvation();
  if (job.kind == media::JobKind::photo)
    if (auto prepared = prepare_photos(); !prepared) return prepared;
  if (settings.sandbox) return seal(source_fd, connection_fd);
  return {};
}

int report(Publisher& publisher, const media::JobResult& result) {
  if (!result.ready)
    log::warn("job not ready", {kv("reason", result.reason), kv("retry", result.retry)});
  auto sent = publisher.result(result);
  if (sent) return 0;
  log::error("result not delivered", {kv("error", sent.error().message)});
  return media::exit_cannot_publish;
}

}  // namespace

Result<media::Job> read_job() {
  std::string text;
  char bytes[64 * 1024];
  for (;;) {
    ssize_t n = read(job_fd, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return bad_input(std::string("the job cannot be read: ") + std::strerror(errno));
    if (n == 0) return media::job_from_json(text);
    text.append(bytes, static_cast<std::size_t>(n));
    if (text.size() > job_bytes_max) return bad_input("the job is larger than 256 MiB");
  }
}

Result<media::JobResult> make_video(const Settings& settings, const media::Job& job,
                                    Publisher& publisher) {
  Presentation presentation(publisher, job);
  auto result = run_video(settings.encoding, settings.source, source_fd, presentation);
  if (!result || !result->ready) return result;
  if (auto finished = presentation.finish(); !finished) return std::unexpected(finished.error());
  return result;
}

Result<media::JobResult> make_photo(const Settings& settings, const media::Job&,
                                    Publisher& publisher) {
  auto result = run_photo(settings.photo, source_fd, publisher);
  if (!result || !result->ready) return result;
  if (auto finished = publisher.finish(); !finished) return std::unexpected(finished.error());
  return result;
}

Result<media::JobResult> make_edges(const Settings& settings, const media::Job& job,
                                    Publisher& publisher) {
  return run_edges(settings, job, source_fd, publisher);
}

media::JobResult result_of(const Error& error) {
  media::JobResult result{.ready = false, .retry = error.retry, .reason = error.message};
  if (error.kind == ErrorKind::no_space) {
    result.retry = true;
    result.reason = "the origin's storage is full";
  } else if (error.kind == ErrorKind::conflict) {
    result.reason = "what an earlier try published does not fit this one: " + error.message;
  }
  return result;
}

int run_job(const Settings& settings, const media::Job& job, Work work) {
  auto prepared = prepare(settings, job);
  // A channel has no end.
  bool endless = job.kind == media::JobKind::live;
  Publisher publisher(connection_fd,
                      {.output_bytes_max = endless ? UINT64_MAX : settings.output_size_max});
  if (!prepared) return report(publisher, result_of(prepared.error()));
  auto result = work(settings, job, publisher);
  return report(publisher, result ? *result : result_of(result.error()));
}

}  // namespace relay::transcoder
