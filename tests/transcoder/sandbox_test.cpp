#include "transcoder/sandbox.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

namespace relay::transcoder {
namespace {

struct Wall {
  const char* what;
  bool (*stands)();  // inside the sandbox
};

int source_fd = -1, connection_fd = -1, foreign_fd = -1;

// Runs in a child, for it can't be undone: 0 when all stand, else 1 + the first that does not.
int check_inside(const std::vector<Wall>& walls) {
  pid_t child = fork();
  if (child == 0) {
    if (!seal(source_fd, connection_fd)) _exit(200);
    for (std::size_t i = 0; i < walls.size(); ++i)
      if (!walls[i].stands()) _exit(static_cast<int>(1 + i));
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

class Sandbox : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    connection_fd = ends[0];
    peer_ = ends[1];
    source_fd = open("/proc/self/exe", O_RDONLY);
    foreign_fd = open("/proc/self/exe", O_RDONLY);
    ASSERT_GE(source_fd, 0);
  }
  void TearDown() override {
    for (int fd : {connection_fd, peer_, source_fd, foreign_fd}) close(fd);
  }
  void expect_all_stand(const std::vector<Wall>& walls) {
    int first = check_inside(walls);
    EXPECT_EQ(first, 0) << (first >= 1 && first <= static_cast<int>(walls.size())
                                ? walls[first - 1].what
                                : "seal() failed, or it was killed");
  }
  int peer_ = -1;
};

bool denied(long result) {
  return result < 0 && (errno == EACCES || errno == EPERM || errno == ENOSYS);
}

TEST_F(Sandbox, NothingOutsideCanBeReached) {
  expect_all_stand({
      {"reading a file", [] { return denied(open("/etc/hostname", O_RDONLY)); }},
      {"writing a file", [] { return denied(open("/run/never-there", O_WRONLY | O_CREAT, 0600)); }},
      {"removing a file", [] { return denied(unlink("/run/never-there")); }},
      {"a TCP socket", [] { return denied(socket(AF_INET, SOCK_STREAM, 0)); }},
      {"a Unix socket", [] { return denied(socket(AF_UNIX, SOCK_STREAM, 0)); }},
      {"connecting what is there",
       [] {
         sockaddr name{};
         return denied(connect(connection_fd, &name, sizeof name));
       }},
      {"another program",
       [] {
         char* none[] = {nullptr};
         return denied(execve("/bin/true", none, none));
       }},
      {"another process", [] { return denied(fork()); }},
      {"signals to others", [] { return denied(kill(getppid(), 0)); }},
      {"higher limits",
       [] {
         rlimit more{1024, 1024};
         return denied(setrlimit(RLIMIT_NOFILE, &more));
       }},
  });
}

TEST_F(Sandbox, OnlyTheGivenDescriptorsStayOpen) {
  expect_all_stand({
      {"standard input", [] { return fcntl(0, F_GETFD) < 0 && errno == EBADF; }},
      {"a descriptor of ours", [] { return fcntl(foreign_fd, F_GETFD) < 0 && errno == EBADF; }},
      {"the source", [] { return fcntl(source_fd, F_GETFD) >= 0; }},
      {"the connection", [] { return fcntl(connection_fd, F_GETFD) >= 0; }},
  });
}

TEST_F(Sandbox, TheWorkItselfStillWorks) {
  expect_all_stand({
      {"reading the source by position",
       [] {
         char bytes[4];
         return pread(source_fd, bytes, 4, 0) == 4 && std::string(bytes + 1, 3) == "ELF";
       }},
      {"sending", [] { return send(connection_fd, "x", 1, MSG_NOSIGNAL) == 1; }},
      {"much memory",
       [] {
         std::vector<char> much(64 << 20, 'x');
         return much.back() == 'x';
       }},
      {"threads",
       [] {
         int sum = 0;
         std::thread one([&] { sum += 1; });
         one.join();
         return sum == 1;
       }},
      {"waiting",
       [] {
         timespec wait{0, 1'000'000};
         return nanosleep(&wait, nullptr) == 0;
       }},
  });
}

TEST_F(Sandbox, ThreadsThatRunAlreadyAreInsideToo) {
  pid_t child = fork();
  if (child == 0) {
    static std::atomic<int> sealed{0}, outcome{0};
    std::thread before([] {
      while (sealed == 0) std::this_thread::yield();
      outcome = denied(open("/etc/hostname", O_RDONLY)) ? 1 : 2;
    });
    if (!seal(source_fd, connection_fd)) _exit(3);
    sealed = 1;
    before.join();
    _exit(outcome == 1 ? 0 : 4);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace relay::transcoder
