"""What two features give together beyond what each gives: Shapley interaction indices; ONE FILE PER WAY."""
