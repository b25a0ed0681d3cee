"""German words of the preferences: PyTorch, and where trainings run."""

INSTALLING = {
    "Copy Report": "Bericht kopieren",
    "Copy versions, device, recipe and the last lines of Riff's log to the clipboard, without names":
        "Versionen, Gerät, Rezept und das Ende von Riffs Protokoll in die Zwischenablage kopieren, ohne Namen",
    "Problem": "Problem",
    "Its hashes are not known: from a folder of wheels only": "Prüfsummen unbekannt: nur aus einem Ordner mit Wheels",
    "What went wrong that nobody foresaw": "Was schiefging und niemand vorhersah",
    "Install PyTorch": "PyTorch installieren",
    "Install PyTorch, which only training needs, into a folder of Riff's own; Blender's Python stays as it is":
        "PyTorch, das nur das Lernen braucht, in Riffs eigenen Ordner installieren; Blenders Python bleibt, wie es ist",
    "From": "Von",
    "Where PyTorch comes from": "Woher PyTorch kommt",
    "Package Index": "Paketverzeichnis",
    "Fetch it from the network": "Aus dem Netz holen",
    "Folder of Wheels": "Ordner mit Wheels",
    "Take it from a folder, without any network": "Aus einem Ordner nehmen, ganz ohne Netz",
    "Folder of wheels of PyTorch and what it needs": "Ordner mit den Wheels von PyTorch und was es braucht",
    "Cancel": "Abbrechen",
    "Stop; what has been fetched is kept, and installing goes on from there the next time":
        "Anhalten; was geholt ist, bleibt, und beim nächsten Mal geht es von dort weiter",
    "Try It": "Ausprobieren",
    "Compute a convolution and its gradient with PyTorch, and say on which device":
        "Mit PyTorch eine Faltung und ihren Gradienten rechnen und sagen, auf welchem Gerät",
    "Remove": "Entfernen",
    "Delete Riff's own PyTorch; models stay, and generating goes on without it":
        "Riffs eigenes PyTorch löschen; Modelle bleiben, und Erzeugen geht weiter ohne es",
    "Reinstall": "Neu installieren",
    "From a Folder of Wheels…": "Aus einem Ordner mit Wheels …",
    "Other Ways…": "Andere Wege …",
    "Beginning": "Beginnt",
    "Fetching": "Wird geholt",
    "Unpacking": "Wird entpackt",
    "Choosing wheels": "Wheels werden gewählt",
    "Trying a convolution": "Eine Faltung wird probiert",
    "Trying PyTorch…": "PyTorch wird ausprobiert …",
    "Processor": "Prozessor",
    "PyTorch {} is ready, on {}": "PyTorch {} ist bereit, auf {}",
    "PyTorch is installed; this Riff was made for another version of it":
        "PyTorch ist installiert; dieses Riff wurde für eine andere Version gemacht",
    "PyTorch is not completely installed; install again to go on from there":
        "PyTorch ist nicht ganz installiert; noch einmal installieren, um dort weiterzumachen",
    "This Python has a PyTorch of its own; Riff uses it": "Dieses Python hat ein eigenes PyTorch; Riff benutzt es",
    "PyTorch is not installed; only training needs it": "PyTorch ist nicht installiert; nur das Lernen braucht es",
    "PyTorch is not installed": "PyTorch ist nicht installiert",
    "PyTorch is being installed or tried": "PyTorch wird gerade installiert oder ausprobiert",
    "A training runs; let it end or cancel it first": "Es wird gelernt; erst zu Ende lernen lassen oder abbrechen",
    "Nothing is being installed": "Es wird nichts installiert",
    "Found in this machine: {}": "In diesem Rechner gefunden: {}",
    "This download of Riff brings PyTorch along: no network is needed":
        "Dieses Riff bringt PyTorch mit: Es braucht kein Netz",
    "There is no PyTorch for this system and this Blender's Python":
        "Für dieses System und das Python dieses Blender gibt es kein PyTorch",
    "Fetches PyTorch {} for {}: {}, {} on disk": "Holt PyTorch {} für {}: {}, {} auf der Platte",
    "Into {}": "Nach {}",
    "Training needs PyTorch, once; generating does not": "Lernen braucht einmal PyTorch, Erzeugen nicht",
    "PyTorch for": "PyTorch für",
    "Which PyTorch to install": "Welches PyTorch installiert wird",
    "Train on": "Lernen auf",
    "What computes; a graphics card that runs out of memory hands over to the processor":
        "Was rechnet; eine Grafikkarte, der der Speicher ausgeht, übergibt an den Prozessor",
    "Automatic": "Automatisch",
    "What suits the device of this machine": "Was zum Gerät dieses Rechners passt",
    "NVIDIA or AMD where PyTorch finds one, else the processor":
        "NVIDIA oder AMD, wo PyTorch eines findet, sonst der Prozessor",
    "The processor, always there": "Der Prozessor, immer da",
    "NVIDIA or AMD": "NVIDIA oder AMD",
    "A graphics card through CUDA or ROCm": "Eine Grafikkarte über CUDA oder ROCm",
    "Apple GPU": "Apple-GPU",
    "Apple's graphics through Metal": "Apples Grafik über Metal",
    "Intel Arc": "Intel Arc",
    "A graphics card of Intel": "Eine Grafikkarte von Intel",
    "Blender's window stays smoother, and a training without memory cannot take Blender with it":
        "Blenders Fenster bleibt flüssiger, und geht dem Lernen der Speicher aus, nimmt es Blender nicht mit",
}  # fmt: skip
