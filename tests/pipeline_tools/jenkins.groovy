// Runs a declarative Jenkinsfile: stages in order until one fails, `when`, `post`, and `sh` in a real shell.
// Usage: groovy jenkins.groovy JENKINSFILE; exits with 0 for SUCCESS, 2 for UNSTABLE, 1 for FAILURE.

class Variables {
    Map values
    Closure credentials
    def propertyMissing(String name, value) { values[name] = value.toString() }
    def credentials(String id) { "secret-of-$id" }
}

class Jenkins {
    Map env = new HashMap(System.getenv())
    Map params = [:]
    Map currentBuild = [result: null]
    boolean failed = false

    def propertyMissing(String name) { name == 'any' ? 'any' : env[name] }
    def inside(Closure body, Object delegate = this) {
        body.delegate = delegate
        body.resolveStrategy = Closure.DELEGATE_FIRST
        body()
    }

    def pipeline(Closure body) { inside(body) }
    def agent(Object which) { }
    def options(Closure body) { inside(body) }
    def disableConcurrentBuilds() { }
    def timeout(Map limit) { assert limit.keySet() == ['time', 'unit'] as Set }
    def parameters(Closure body) { inside(body) }
    def string(Map facts) { assert env[facts.name] != null }
    def environment(Closure body) { inside(body, new Variables(values: env)); env.remove('credentials') }
    def stages(Closure body) { inside(body) }

    def stage(String name, Closure body) {
        if (failed) { return }
        def parts = new Stage(jenkins: this)
        inside(body, parts)
        if (parts.condition && !inside(parts.condition, new Condition(env: env))) { return }
        attempt { inside(parts.work) }
    }

    def post(Closure body) { inside(body, new Post(jenkins: this)) }
    def attempt(Closure work) {
        try { work() } catch (Exception why) { println "FAILED: $why.message"; failed = true }
    }

    def script(Closure body) { inside(body) }
    def error(String text) { throw new Exception(text) }
    def unstable(String text) { println "UNSTABLE: $text"; currentBuild.result = 'UNSTABLE' }
    def junit(Map facts) { assert facts.keySet() == ['testResults', 'allowEmptyResults'] as Set }
    def archiveArtifacts(Map facts) { assert facts.keySet() == ['artifacts', 'allowEmptyArchive'] as Set }

    def sh(String script) { sh(script: script) }
    def sh(Map facts) {
        def builder = new ProcessBuilder('/bin/sh', '-xec', facts.script).redirectError(ProcessBuilder.Redirect.INHERIT)
        builder.environment().clear()
        env.each { name, value -> builder.environment()[name as String] = value as String }
        def process = builder.start()
        def output = process.inputStream.text
        def status = process.waitFor()
        if (facts.returnStatus) { print output; return status }
        if (status != 0) { error("script returned exit code $status") }
        if (facts.returnStdout) { return output }
        print output
    }
}

class Stage {
    Jenkins jenkins
    Closure condition
    Closure work
    def when(Closure body) { condition = body }
    def steps(Closure body) { work = body }
}

class Condition {
    Map env
    boolean environment(Map facts) { env[facts.name] == facts.value }
}

class Post {
    Jenkins jenkins
    def always(Closure body) { jenkins.attempt { jenkins.inside(body) } }
}

def jenkins = new Jenkins()
def configuration = new org.codehaus.groovy.control.CompilerConfiguration()
configuration.scriptBaseClass = DelegatingScript.name
def script = new GroovyShell(getClass().classLoader, new Binding(), configuration).parse(new File(args[0]))
script.setDelegate(jenkins)
script.run()
def result = jenkins.failed ? 'FAILURE' : jenkins.currentBuild.result ?: 'SUCCESS'
println "RESULT: $result"
System.exit([SUCCESS: 0, FAILURE: 1, UNSTABLE: 2][result])
