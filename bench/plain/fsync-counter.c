/* Preloaded into a process: counts its calls of fsync and fdatasync in a file that another process can read. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic uint64_t unmapped;
static _Atomic uint64_t *calls = &unmapped;

__attribute__((constructor)) static void map_counter(void) {
  const char *path = getenv("FSYNC_COUNTER_FILE");
  if (path == NULL) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped != MAP_FAILED) calls = mapped;
}

static int count_and_call(const char *name, int fd) {
  int (*original)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  atomic_fetch_add(calls, 1);
  return original(fd);
}

int fsync(int fd) { return count_and_call("fsync", fd); }

int fdatasync(int fd) { return count_and_call("fdatasync", fd); }
