# cases.awk - counts the test cases in what ctest wrote down (Testing/Temporary/LastTest.log): "PASSED FAILED SKIPPED PROGRAMS".
# A case that did not pass is named twice: where it ran and in its program's list. A program that fails without naming one (it died, or took too long) counts as
# a failed case.
/^[0-9]+\/[0-9]+ Testing: / { programs++; named = 0; split("", seen) }
/\[       OK \] / { passed++ }
/\[  FAILED  \] [^0-9]/ && !seen[$0]++ { failed++; named++ }
/\[  SKIPPED \] [^0-9]/ && !seen[$0]++ { skipped++ }
/^Test Failed\./ && !named { failed++ }
END { print passed + 0, failed + 0, skipped + 0, programs + 0 }
