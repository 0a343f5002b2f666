/*
 * ids: see ids.h.
 */
#include "sandbox/init/ids.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/wire.h"

int as_user(uint32_t uid, uint32_t gid) {
        (void) syscall(SYS_setfsgid, gid);
        (void) syscall(SYS_setfsuid, uid);
        /* the kernel answers with the id before the call: asking for nonsense tells the one that is */
        if (syscall(SYS_setfsuid, -1) != (long) uid || syscall(SYS_setfsgid, -1) != (long) gid) {
                as_init();
                return -EPERM;
        }
        return 0;
}

void as_init(void) {
        (void) syscall(SYS_setfsuid, JAIL_INIT_ID);
        (void) syscall(SYS_setfsgid, JAIL_INIT_ID);
        /* a change of file system ids resets both */
        if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                _exit(1);
}
