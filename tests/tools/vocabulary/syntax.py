"""syntax.py TREE: all C of the tree through the compiler's -fsyntax-only -Werror (build/compile_commands.json)"""
import json,subprocess,shlex,os,sys
from concurrent.futures import ThreadPoolExecutor
os.chdir(sys.argv[1])
subprocess.run("cmake -S . -B build -G Ninja -DCAEC_TESTS=ON -DCMAKE_C_COMPILER_LAUNCHER=ccache --log-level=WARNING -DCMAKE_EXPORT_COMPILE_COMMANDS=ON", shell=True, capture_output=True)
seen=set(); jobs=[]
for c in json.load(open('build/compile_commands.json')):
    f=c['file']
    if f in seen or not os.path.exists(f): continue
    seen.add(f)
    w=[x for x in shlex.split(c['command']) if not x.endswith('ccache')]
    i=w.index('-o'); del w[i:i+2]
    jobs.append((f,['nice','-n','10',*w,'-fsyntax-only','-Werror'],c['directory']))
def run(j):
    r=subprocess.run(j[1],cwd=j[2],capture_output=True,text=True)
    return j[0],r.returncode,r.stderr
bad=0
with ThreadPoolExecutor(2) as e:
    for f,rc,err in e.map(run,jobs):
        if rc:
            bad+=1; print(f); print(err[:600])
print(len(jobs),'files',bad,'bad')
