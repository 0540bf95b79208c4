/* cortex_m.c - check.c on a bare Cortex-M with a unit for floats: the start, and semihosting (Arm's
   name for a debugger that prints), as QEMU offers it on its MPS2 boards. */
#include "check.h"

#include <stdint.h>

/* the last two: why a program ends */
enum { SYS_WRITE0 = 0x04, SYS_EXIT = 0x18, STOPPED = 0x20026, FAULT = 0x20023 };

extern uint32_t stack_top[], data_start[], data_end[], data_from[], zeros_start[], zeros_end[];

static void ask_host(int what, const void *about)
{
    register int r0 __asm__("r0") = what;
    register const void *r1 __asm__("r1") = about;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void say(const char *text)
{
    ask_host(SYS_WRITE0, text);
}

static _Noreturn void leave(int reason)
{
    ask_host(SYS_EXIT, (const void *)(intptr_t)reason);
    for (;;)
        ;
}

static _Noreturn void fault(void)
{
    say("a fault FAILED\n");
    leave(FAULT);
}

/* Turns the unit for floats on before a function that might use it begins. */
static _Noreturn void start(void)
{
    *(volatile uint32_t *)0xe000ed88 |= 0xfu << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    for (uint32_t *to = data_start, *from = data_from; to < data_end;)
        *to++ = *from++;
    for (uint32_t *to = zeros_start; to < zeros_end;)
        *to++ = 0;
    leave(check() == 0 ? STOPPED : FAULT);
}

__attribute__((section(".vectors"), used)) static const struct {
    const void *stack;
    void (*handlers[15])(void);
} vectors = { stack_top,
              { start, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault,
                fault, fault, fault } };
