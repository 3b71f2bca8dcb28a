#include "edge/bus/session.hpp"

#include <fmt/format.h>
#include <nats/nats.h>

#include <utility>

namespace relay::edge::bus {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds ping_interval = 1s;
constexpr int pings_unanswered_max = 2;
constexpr std::int32_t value_bytes_max = 64 << 10;  // of either bucket

template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* it) const { destroy(it); }
};
template <class T, void (*destroy)(T*)>
using Owned = std::unique_ptr<T, Destroy<T, destroy>>;

using Connection = Owned<natsConnection, natsConnection_Destroy>;
using ConnectOptions = Owned<natsOptions, natsOptions_Destroy>;
using Context = Owned<jsCtx, jsCtx_Destroy>;
using Store = Owned<kvStore, kvStore_Destroy>;
using Subscription = Owned<natsSubscription, natsSubscription_Destroy>;
using Info = Owned<jsStreamInfo, jsStreamInfo_Destroy>;
using Ack = Owned<jsPubAck, jsPubAck_Destroy>;
using RawMessage = Owned<natsMsg, natsMsg_Destroy>;

using Ring = std::function<void()>;

std::int64_t ns(std::chrono::nanoseconds time) {
  return time.count();
}

/// natsStatus_GetText only: the library's longer words may quote a url with its password.
Error failed(std::string_view what, natsStatus status) {
  return {ErrorKind::unavailable, ErrorSource::upstream, true,
          fmt::format("the bus: {}: {}", what, natsStatus_GetText(status))};
}

void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* ring) {
  natsMsg_Destroy(message);
  (*static_cast<Ring*>(ring))();
}

/// After the last on_message(), which may come when the subscription is destroyed already.
void on_unsubscribed(void* ring) {
  delete static_cast<Ring*>(ring);
}

natsStatus apply(natsOptions* into, const Session::Options& options) {
  std::vector<const char*> servers;
  for (const std::string& url : options.servers) servers.push_back(url.c_str());
  natsStatus s = natsOptions_SetServers(into, servers.data(), static_cast<int>(servers.size()));
  if (s == NATS_OK) s = natsOptions_SetName(into, options.edge.c_str());
  if (s == NATS_OK) s = natsOptions_SetTimeout(into, answer_wait.count());
  if (s == NATS_OK) s = natsOptions_SetWriteDeadline(into, answer_wait.count());
  if (s == NATS_OK) s = natsOptions_SetAllowReconnect(into, false);
  if (s == NATS_OK) s = natsOptions_SetPingInterval(into, ping_interval.count());
  if (s == NATS_OK) s = natsOptions_SetMaxPingsOut(into, pings_unanswered_max);
  if (s == NATS_OK && !options.ca_file.empty()) {
    s = natsOptions_LoadCATrustedCertificates(into, options.ca_file.c_str());
  }
  return s;
}

}  // namespace

struct Session::Impl {
  std::string fleet;
  Connection connection;
  Context js;
  Store members;
  std::vector<Subscription> subscriptions;

  std::string stream_name(Stream stream) const {
    if (stream == Stream::purges) return fleet + "_purges";
    return "KV_" + bucket_name(stream);
  }
  std::string bucket_name(Stream stream) const {
    return fleet + (stream == Stream::members ? "_members" : "_settings");
  }
  /// Of all messages, up to the key.
  std::string subject_prefix(Stream stream) const {
    if (stream == Stream::purges) return fleet + ".purges.";
    return "$KV." + bucket_name(stream) + ".";
  }

  /// Binds to the bucket that is there, whatever its settings, or creates it.
  natsStatus open_bucket(Stream stream, kvConfig config, Store& into) {
    std::string name = bucket_name(stream);
    kvStore* store = nullptr;
    natsStatus s = js_KeyValue(&store, js.get(), name.c_str());
    if (s == NATS_NOT_FOUND) {
      config.Bucket = name.c_str();
      s = js_CreateKeyValue(&store, js.get(), &config);
      // Another edge was quicker, with other settings.
      if (s != NATS_OK) s = js_KeyValue(&store, js.get(), name.c_str());
    }
    into.reset(store);
    return s;
  }

  natsStatus open_purges() {
    std::string name = stream_name(Stream::purges);
    jsStreamInfo* info = nullptr;
    jsErrCode code{};
    natsStatus s = js_GetStreamInfo(&info, js.get(), name.c_str(), nullptr, &code);
    if (s == NATS_NOT_FOUND) {
      std::string subject = subject_prefix(Stream::purges) + "*";
      const char* subjects[] = {subject.c_str()};
      jsStreamConfig config;
      jsStreamConfig_Init(&config);
      config.Name = name.c_str();
      config.Subjects = subjects;
      config.SubjectsLen = 1;
      config.MaxAge = ns(purges_kept);
      config.MaxMsgs = purges_kept_max;
      config.Storage = js_FileStorage;
      s = js_AddStream(&info, js.get(), &config, nullptr, &code);
      if (s != NATS_OK) s = js_GetStreamInfo(&info, js.get(), name.c_str(), nullptr, &code);
    }
    jsStreamInfo_Destroy(info);
    return s;
  }

  natsStatus subscribe(Stream stream, const Ring& ring) {
    std::string subject = subject_prefix(stream) + "*";
    auto owned = std::make_unique<Ring>(ring);
    natsSubscription* subscription = nullptr;
    natsStatus s = natsConnection_Subscribe(&subscription, connection.get(), subject.c_str(),
                                            on_message, owned.get());
    if (s != NATS_OK) return s;
    subscriptions.emplace_back(subscription);
    s = natsSubscription_SetOnCompleteCB(subscription, on_unsubscribed, owned.get());
    owned.release();
    return s;
  }

  Message read(natsMsg* raw, Stream stream) const {
    Message message;
    std::string_view subject = natsMsg_GetSubject(raw);
    std::size_t prefix = subject_prefix(stream).size();
    if (subject.size() > prefix) message.key = subject.substr(prefix);
    if (natsMsg_GetDataLength(raw) > 0) {
      message.text.assign(natsMsg_GetData(raw),
                          static_cast<std::size_t>(natsMsg_GetDataLength(raw)));
    }
    const char* operation = nullptr;
    message.removed = natsMsgHeader_Get(raw, "KV-Operation", &operation) == NATS_OK;
    message.sequence = natsMsg_GetSequence(raw);
    message.written_ns = natsMsg_GetTime(raw);
    return message;
  }
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
}

Session::~Session() {
  impl_->subscriptions.clear();
  impl_->members.reset();
  impl_->js.reset();
  natsConnection_Close(impl_->connection.get());
}

Result<std::unique_ptr<Session>> Session::open(const Options& options) {
  natsOptions* made = nullptr;
  natsStatus s = natsOptions_Create(&made);
  ConnectOptions connect(made);
  if (s == NATS_OK) s = apply(made, options);
  if (s != NATS_OK) return std::unexpected(failed("its settings", s));
  auto impl = std::make_unique<Impl>();
  impl->fleet = options.fleet;
  natsConnection* connection = nullptr;
  s = natsConnection_Connect(&connection, made);
  impl->connection.reset(connection);
  if (s != NATS_OK) return std::unexpected(failed("cannot connect", s));
  jsOptions wait;
  jsOptions_Init(&wait);
  wait.Wait = answer_wait.count();
  jsCtx* js = nullptr;
  s = natsConnection_JetStream(&js, connection, &wait);
  impl->js.reset(js);
  if (s != NATS_OK) return std::unexpected(failed("JetStream", s));
  kvConfig config;
  kvConfig_Init(&config);
  Store settings;
  config.MaxValueSize = value_bytes_max;
  config.History = settings_remembered;
  s = impl->open_bucket(Stream::settings, config, settings);
  config.History = 1;
  config.TTL = ns(options.members_kept);
  if (s == NATS_OK) s = impl->open_bucket(Stream::members, config, impl->members);
  if (s == NATS_OK) s = impl->open_purges();
  if (s != NATS_OK) return std::unexpected(failed("its buckets and streams", s));
  for (Stream stream : {Stream::members, Stream::settings, Stream::purges}) {
    if (s == NATS_OK) s = impl->subscribe(stream, options.ring);
  }
  if (s != NATS_OK) return std::unexpected(failed("cannot subscribe", s));
  return std::unique_ptr<Session>(new Session(std::move(impl)));
}

Result<StreamState> Session::state(Stream stream) {
  jsStreamInfo* raw = nullptr;
  jsErrCode code{};
  natsStatus s =
      js_GetStreamInfo(&raw, impl_->js.get(), impl_->stream_name(stream).c_str(), nullptr, &code);
  Info info(raw);
  if (s != NATS_OK) return std::unexpected(failed("asked how far it is", s));
  return StreamState{info->Created, info->State.FirstSeq, info->State.LastSeq};
}

Result<std::vector<std::string>> Session::keys(Stream stream) {
  std::string prefix = impl_->subject_prefix(stream), filter = prefix + "*";
  jsOptions options;
  jsOptions_Init(&options);
  options.Wait = answer_wait.count();
  options.Stream.Info.SubjectsFilter = filter.c_str();
  jsStreamInfo* raw = nullptr;
  jsErrCode code{};
  natsStatus s =
      js_GetStreamInfo(&raw, impl_->js.get(), impl_->stream_name(stream).c_str(), &options, &code);
  Info info(raw);
  if (s != NATS_OK) return std::unexpected(failed("asked for its keys", s));
  std::vector<std::string> keys;
  const jsStreamStateSubjects* subjects = info->State.Subjects;
  for (int i = 0; subjects && i < subjects->Count; ++i) {
    keys.emplace_back(std::string_view(subjects->List[i].Subject).substr(prefix.size()));
  }
  return keys;
}

Result<std::optional<Message>> Session::at(Stream stream, std::uint64_t sequence) {
  natsMsg* raw = nullptr;
  jsErrCode code{};
  natsStatus s = js_GetMsg(&raw, impl_->js.get(), impl_->stream_name(stream).c_str(), sequence,
                           nullptr, &code);
  RawMessage message(raw);
  if (s == NATS_NOT_FOUND) return std::optional<Message>();
  if (s != NATS_OK) return std::unexpected(failed("asked for a message", s));
  return std::optional(impl_->read(raw, stream));
}

Result<std::optional<Message>> Session::newest_of(Stream stream, std::string_view key) {
  std::string subject = impl_->subject_prefix(stream) + std::string(key);
  natsMsg* raw = nullptr;
  jsErrCode code{};
  natsStatus s = js_GetLastMsg(&raw, impl_->js.get(), impl_->stream_name(stream).c_str(),
                               subject.c_str(), nullptr, &code);
  RawMessage message(raw);
  if (s == NATS_NOT_FOUND) return std::optional<Message>();
  if (s != NATS_OK) return std::unexpected(failed("asked for a key", s));
  return std::optional(impl_->read(raw, stream));
}

Result<std::uint64_t> Session::write(Stream stream, std::string_view key, std::string_view text,
                                     const std::string& id) {
  std::string subject = impl_->subject_prefix(stream) + std::string(key);
  jsPubOptions options;
  jsPubOptions_Init(&options);
  options.MaxWait = answer_wait.count();
  if (!id.empty()) options.MsgId = id.c_str();
  jsPubAck* raw = nullptr;
  jsErrCode code{};
  natsStatus s = js_Publish(&raw, impl_->js.get(), subject.c_str(), text.data(),
                            static_cast<int>(text.size()), &options, &code);
  Ack ack(raw);
  if (s != NATS_OK) return std::unexpected(failed("cannot write", s));
  return ack->Sequence;
}

Result<void> Session::remove_member(std::string_view key) {
  natsStatus s = kvStore_Delete(impl_->members.get(), std::string(key).c_str());
  if (s != NATS_OK) return std::unexpected(failed("cannot take a key away", s));
  return {};
}

void end_library() {
  nats_CloseAndWait(answer_wait.count());
}

}  // namespace relay::edge::bus
