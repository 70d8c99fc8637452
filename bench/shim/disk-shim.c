// A slower or failing disk for one process: put before it with LD_PRELOAD. Every fsync and fdatasync takes
// DISK_SHIM_DELAY_US longer. While the file named by DISK_SHIM_FAULT exists, its first word decides what fails:
// "sync" fsync and fdatasync with EIO, "write" writes to files with EIO, "full" writes to files with ENOSPC; "slow": nothing, but fsync and
// fdatasync take a quarter of a second.
// Only regular files are concerned, and none of the three standard streams.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum fault { NONE, SYNC, WRITE, FULL, SLOW };

static const long slow_us = 250000;

static long delay_us = -1;
static const char *fault_path;

__attribute__((constructor)) static void read_environment(void) {
  const char *text = getenv("DISK_SHIM_DELAY_US");
  delay_us = text ? atol(text) : 0;
  // A copy: PostgreSQL writes its title over the environment that it was started with.
  const char *path = getenv("DISK_SHIM_FAULT");
  fault_path = path ? strdup(path) : NULL;
}

static enum fault present_fault(void) {
  if (!fault_path) return NONE;
  int saved = errno;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, fault_path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    errno = saved;
    return NONE;
  }
  char word[8] = {0};
  ssize_t got = syscall(SYS_read, fd, word, sizeof word - 1);
  syscall(SYS_close, fd);
  errno = saved;
  if (got <= 0) return NONE;
  if (!strncmp(word, "sync", 4)) return SYNC;
  if (!strncmp(word, "write", 5)) return WRITE;
  if (!strncmp(word, "full", 4)) return FULL;
  if (!strncmp(word, "slow", 4)) return SLOW;
  return NONE;
}

static int is_file(int fd) {
  struct stat status;
  return fd > 2 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/** The error that a write to `fd` must fail with now, or 0. */
static int write_error(int fd) {
  enum fault fault = present_fault();
  if ((fault != WRITE && fault != FULL) || !is_file(fd)) return 0;
  return fault == FULL ? ENOSPC : EIO;
}

static int sync_with(long number, int fd) {
  enum fault fault = present_fault();
  long pause_us = delay_us + (fault == SLOW ? slow_us : 0);
  if (pause_us > 0) {
    struct timespec pause = {pause_us / 1000000, (pause_us % 1000000) * 1000};
    nanosleep(&pause, NULL);
  }
  if (fault == SYNC) {
    errno = EIO;
    return -1;
  }
  return (int)syscall(number, fd);
}

int fsync(int fd) { return sync_with(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_with(SYS_fdatasync, fd); }

#define FAIL_IF_TOLD(fd)          \
  do {                            \
    int error = write_error(fd);  \
    if (error) {                  \
      errno = error;              \
      return -1;                  \
    }                             \
  } while (0)

ssize_t write(int fd, const void *bytes, size_t count) {
  FAIL_IF_TOLD(fd);
  return syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  FAIL_IF_TOLD(fd);
  return syscall(SYS_pwrite64, fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  FAIL_IF_TOLD(fd);
  return syscall(SYS_pwrite64, fd, bytes, count, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  FAIL_IF_TOLD(fd);
  return syscall(SYS_pwritev, fd, parts, count, offset, 0);
}
