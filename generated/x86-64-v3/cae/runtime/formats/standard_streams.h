/* standard_streams.h - stdin, stdout and stderr as every program here begins with them. */
#ifndef CAEC_STANDARD_STREAMS_H
#define CAEC_STANDARD_STREAMS_H

/* Opens /dev/null in the place of those of the handles 0, 1 and 2 that are closed, as `>&-` leaves
   them: the next file that is opened would get such a number, and what is said on stderr would be
   written into it. Before anything else is opened. */
void standard_streams_open(void);

/* From here on exit() ends the program with exit code 3 and `line` on stderr where stdout did not
   take all that was printed. For the time in which argp may end the program itself: it does not ask
   what became of the text of --help. */
void standard_streams_watch(const char *line);
void standard_streams_unwatch(void);

#endif
