// The API of live channels (DESIGN 3.4): PUT channels/{asset}, POST channels/{asset}/end, and
// POST channels/{asset}/feed, by which MPEG-TS can be published over HTTP.
#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <vector>

#include "common/http/url.hpp"
#include "common/net/blocking.hpp"
#include "common/net/handler.hpp"
#include "origin/catalog.hpp"
#include "origin/json_body.hpp"
#include "origin/live/channels.hpp"

namespace relay::origin {

class LiveApi {
 public:
  /// All outlive it.
  LiveApi(live::Channels& channels, Catalog& catalog, net::Blocking& blocking)
      : channels_(channels), catalog_(catalog), blocking_(blocking) {}

  struct Request {
    std::string tenant, asset;
    std::string action;  // "", "end", "feed"
    std::vector<http::Parameter> parameters;
  };
  /// The methods of channels/{asset}[/{action}]; empty: there is nothing.
  static std::string_view methods_of(std::string_view action);
  /// The tenant's key was checked.
  net::Task<void> answer(net::Exchange& exchange, Request request);

  /// The public document of a channel; other assets' stay as they are.
  boost::json::object document(const Asset& asset) const;
  /// Deleted from the catalog already: its process ends, whoever waits is let go.
  net::Task<void> remove(std::string tenant, std::string asset);

 private:
  net::Task<void> put(net::Exchange& exchange, Request request);
  net::Task<void> end(net::Exchange& exchange, Request request);
  net::Task<void> feed(net::Exchange& exchange, Request request);
  net::Task<Result<Asset>> open(const Request& request, const ChannelBody& wanted, std::string key);
  net::Task<Result<Asset>> change(const Request& request, const ChannelBody& wanted,
                                  std::string new_key);
  media::Job new_job(const Request& request, const live::ChannelWishes& wishes) const;

  live::Channels& channels_;
  Catalog& catalog_;
  net::Blocking& blocking_;
};

}  // namespace relay::origin
