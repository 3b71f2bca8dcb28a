#include "transcoder/publisher.hpp"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "common/media/media_path.hpp"
#include "transcoder/connection.hpp"

namespace relay::transcoder {
namespace {

// Written ahead of their answers; bounded, so that neither side ever waits for the other's full
// socket (an answer is a few hundred bytes).
constexpr std::size_t in_flight_max = 8;
constexpr std::size_t queue_objects_max = 256;

struct Request {
  std::string target;
  std::string content_type;
  std::string body;
  Digest128 digest;
  OnConflict on_conflict = OnConflict::refuse;
  std::string fields = {};  // header lines
};

struct Awaited {
  std::string target;
  OnConflict on_conflict;
};

// The "detail" of a problem document (RFC 9457), or the text itself.
std::string detail_of(const std::string& body) {
  boost::json::error_code ec;
  boost::json::value problem = boost::json::parse(body, ec);
  if (ec || !problem.is_object()) return body.substr(0, 200);
  const auto* detail = problem.get_object().if_contains("detail");
  return detail && detail->is_string() ? std::string(detail->get_string()) : body.substr(0, 200);
}

Result<void> judge(const Awaited& request, const Answer& answer) {
  if (answer.status >= 200 && answer.status < 300) return {};
  if (answer.status == 409 && request.on_conflict == OnConflict::keep_earlier) return {};
  std::string message = "PUT " + request.target + " was answered " + std::to_string(answer.status) +
                        ": " + detail_of(answer.body);
  if (answer.status == 507)
    return fail(ErrorKind::no_space, ErrorSource::upstream, std::move(message), true);
  if (answer.status == 409)
    return fail(ErrorKind::conflict, ErrorSource::upstream, std::move(message));
  if (answer.status >= 500)
    return fail(ErrorKind::unavailable, ErrorSource::upstream, std::move(message), true);
  return fail(ErrorKind::invalid, ErrorSource::upstream, std::move(message));
}

std::string fields_of(const std::vector<media::KeyPicture>& keys) {
  if (keys.empty()) return {};
  return fmt::format("{}: {}\r\n", media::key_pictures_field, media::to_text(keys));
}

Request json_request(std::string target, std::string json) {
  Digest128 digest = digest128(json);
  return {std::move(target), "application/json", std::move(json), digest, OnConflict::refuse};
}

}  // namespace

struct Publisher::Impl {
  PublisherOptions options;

  // The sending thread's alone while it runs.
  Connection connection;
  std::deque<Awaited> awaited;
  bool connected = true;

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::deque<Request> queue;
  std::uint64_t queue_bytes = 0;
  std::uint64_t output_bytes = 0;
  std::optional<Error> failure;
  bool idle = true;  // nothing queued, nothing unanswered
  bool stopping = false;

  std::thread sender;

  Impl(int fd, PublisherOptions chosen) : options(chosen), connection(fd, chosen.stall) {
    sender = std::thread([this] { run(); });
  }
  ~Impl() { stop(); }

  void stop();
  Result<void> enqueue(Request request);
  Result<void> wait_idle();
  Result<void> deliver_last(const Request& request);

  // --- on the sending thread
  void run();
  std::optional<Request> take();
  bool wait_for_more();
  void send(const Request& request);
  void read_answer();
  void note_failure(Error error);
};

void Publisher::Impl::run() {
  do {
    while (std::optional<Request> request = take()) send(*request);
    while (connected && !awaited.empty()) read_answer();
  } while (wait_for_more());
}

std::optional<Request> Publisher::Impl::take() {
  std::lock_guard lock(mutex);
  if (queue.empty() || stopping) return std::nullopt;
  Request request = std::move(queue.front());
  queue.pop_front();
  queue_bytes -= request.body.size();
  changed.notify_all();
  return request;
}

// Everything that was taken is answered. False when the thread shall end.
bool Publisher::Impl::wait_for_more() {
  std::unique_lock lock(mutex);
  idle = queue.empty();
  changed.notify_all();
  changed.wait(lock, [this] { return stopping || !queue.empty(); });
  return !stopping;
}

void Publisher::Impl::send(const Request& request) {
  if (connected && awaited.size() >= in_flight_max) read_answer();
  if (!connected) return;
  auto sent = connection.send_put(request.target, request.content_type, request.fields,
                                  request.body, request.digest);
  if (!sent) {
    connected = false;
    return note_failure(sent.error());
  }
  awaited.push_back({request.target, request.on_conflict});
}

void Publisher::Impl::read_answer() {
  auto answer = connection.read_answer();
  if (!answer) {
    connected = false;
    return note_failure(answer.error());
  }
  Awaited request = std::move(awaited.front());
  awaited.pop_front();
  if (auto accepted = judge(request, *answer); !accepted) note_failure(accepted.error());
}

// The first failure stays; what waits is dropped.
void Publisher::Impl::note_failure(Error error) {
  std::lock_guard lock(mutex);
  if (!failure) failure = std::move(error);
  queue.clear();
  queue_bytes = 0;
  changed.notify_all();
}

Result<void> Publisher::Impl::enqueue(Request request) {
  std::unique_lock lock(mutex);
  std::uint64_t bytes = request.body.size();
  changed.wait(lock, [&] {
    return failure || (queue.size() < queue_objects_max &&
                       (queue.empty() || queue_bytes + bytes <= options.queue_bytes_max));
  });
  output_bytes += bytes;
  if (!failure && output_bytes > options.output_bytes_max)
    failure = Error{ErrorKind::too_large, ErrorSource::client, false,
                    "the renditions are larger than the limit of " +
                        std::to_string(options.output_bytes_max >> 20) + " MiB"};
  if (failure) return std::unexpected(*failure);
  queue_bytes += bytes;
  queue.push_back(std::move(request));
  idle = false;
  changed.notify_all();
  return {};
}

Result<void> Publisher::Impl::wait_idle() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return idle || failure; });
  if (failure) return std::unexpected(*failure);
  return {};
}

void Publisher::Impl::stop() {
  {
    std::lock_guard lock(mutex);
    stopping = true;
  }
  changed.notify_all();
  if (sender.joinable()) sender.join();
}

// On the caller's thread: the sending one has ended, the connection is free.
Result<void> Publisher::Impl::deliver_last(const Request& request) {
  stop();
  send(request);
  while (connected && awaited.size() > 1) read_answer();
  if (!connected) return std::unexpected(*failure);
  auto answer = connection.read_answer();
  if (!answer) return std::unexpected(answer.error());
  return judge(awaited.front(), *answer);
}

Publisher::Publisher(int fd, PublisherOptions options)
    : impl_(std::make_unique<Impl>(fd, options)) {
}

Publisher::~Publisher() = default;

Result<void> Publisher::put(Object object) {
  std::string_view file = object.path;
  Request request{"/media/" + object.path, std::string(media::content_type_of(file)),
                  std::move(object.body),  object.digest,
                  object.on_conflict,      fields_of(object.keys)};
  return impl_->enqueue(std::move(request));
}

Result<void> Publisher::progress(const media::Progress& progress) {
  return impl_->enqueue(json_request("/progress", media::to_json(progress)));
}

Result<void> Publisher::live_setup(const media::LiveSetup& setup) {
  return impl_->enqueue(json_request("/live/setup", media::to_json(setup)));
}

Result<void> Publisher::live_part(LivePart part) {
  std::string target =
      fmt::format("/live/{}/{}.{}.m4s?ticks={}&independent={:d}&last={:d}", part.rendition,
                  part.segment, part.part, part.ticks, part.independent, part.last);
  return impl_->enqueue({std::move(target), "video/iso.segment", std::move(part.body), part.digest,
                         OnConflict::keep_earlier, fields_of(part.keys)});
}

Result<void> Publisher::live_status(const media::LiveStatus& status) {
  return impl_->enqueue(json_request("/live/status", media::to_json(status)));
}

Result<void> Publisher::finish() {
  return impl_->wait_idle();
}

Result<void> Publisher::result(const media::JobResult& result) {
  (void)impl_->wait_idle();  // its failure is what the result is about
  return impl_->deliver_last(json_request("/result", media::to_json(result)));
}

}  // namespace relay::transcoder
