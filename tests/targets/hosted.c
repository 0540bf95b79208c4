/* hosted.c - check.c where there is an operating system. */
#include "check.h"

#include <stdio.h>

void say(const char *text)
{
    fputs(text, stdout);
}

int main(void)
{
    const int result = check();
    return fflush(stdout) == 0 ? result : 1;
}
