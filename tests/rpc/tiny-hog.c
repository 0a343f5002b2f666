/*
 * tiny-hog KIND: fills memory that belongs to no process of any size. It has no libc, so that whatever else
 * is in the jail is larger than it; it makes eight of itself, and each goes on until it is killed.
 *
 *   s  System V segments, which no kill gives back
 *   m  files in memory that have no name
 *   u  bytes in buffers of Unix sockets
 */
#include <linux/memfd.h>
#include <stddef.h>
#include <sys/ipc.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define COPIES 8
#define PIECE  65536
#define PAGE   4096

static char piece[PIECE];

#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call hog\n");

static long call(long n, long a, long b, long c, long d) {
        register long r10 __asm__("r10") = d, r8 __asm__("r8") = 0, r9 __asm__("r9") = 0;
        long r;

        __asm__ volatile("syscall"
                         : "=a"(r)
                         : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                         : "rcx", "r11", "memory");
        return r;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x0, sp\n bl hog\n");

static long call(long n, long a, long b, long c, long d) {
        register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b,
                         x2 __asm__("x2") = c, x3 __asm__("x3") = d, x4 __asm__("x4") = 0,
                         x5 __asm__("x5") = 0;

        __asm__ volatile("svc 0"
                         : "+r"(x0)
                         : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                         : "memory");
        return x0;
}
#else
#error "which instruction enters the kernel?"
#endif

static void segment(void) {
        long at =
                call(SYS_shmat, call(SYS_shmget, IPC_PRIVATE, PIECE, IPC_CREAT | 0600, 0), 0, 0, 0);
        long i;

        if (at < 0 && at > -PAGE)
                return;
        for (i = 0; i < PIECE; i += PAGE)
                ((volatile char *) at)[i] = 1;
        (void) call(SYS_shmdt, at, 0, 0, 0);
}

static void memory_file(void) {
        static long fd = -1;

        if (fd < 0)
                fd = call(SYS_memfd_create, (long) "hog", MFD_CLOEXEC, 0, 0);
        (void) call(SYS_write, fd, (long) piece, PIECE, 0);
}

static void sockets(void) {
        int pair[2];

        if (call(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, (long) pair) < 0)
                return;
        while (call(SYS_write, pair[0], (long) piece, PIECE, 0) > 0)
                ;
}

_Noreturn void hog(char **stack);

_Noreturn void hog(char **stack) {
        char kind = (long) stack[0] > 1 ? stack[2][0] : 's'; /* argc, argv[0], argv[1] */
        int i;

        /* SIGCHLD as clone's flag: what fork(2) is where there is none */
        for (i = 0; i < COPIES && call(SYS_clone, 17, 0, 0, 0) != 0; i++)
                ;
        for (;;) {
                if (kind == 's')
                        segment();
                else if (kind == 'm')
                        memory_file();
                else
                        sockets();
        }
}
